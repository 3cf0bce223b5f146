"""`pellucid show`: an answer that was saved as numbers, drawn."""

from __future__ import annotations

import click

from pellucid.cli.answers import Answer, remark, report
from pellucid.cli.files import places, save
from pellucid.cli.options import Command, Option, common
from pellucid.cli.session import Session, running
from pellucid.result import stored

_KEPT = ("out", "look", "json", "quiet", "debug")
"""Of the common options those that make sense without a network."""


def command() -> click.Command:
    """The command."""
    return Command(
        "show", running(_show), summary="A saved answer as a picture",
        doc="An answer that was saved as numbers (--out x.npz), drawn. Nothing in it is run: it may be anybody's.",
        params=[
            click.Argument(["file"], required=True, metavar="FILE", type=click.Path()),
            Option("--over", metavar="IMAGE", multiple=True, section="Answer",
                   help="the pictures that it was made of, in their order: maps are laid over them"),
            *(one for one in common(out=True) if one.name in _KEPT),
        ],
    )  # fmt: skip


def _show(session: Session) -> None:
    given = session.given
    files = places(given["out"], [given["file"]], "show")[0]
    result = stored.open(given["file"])
    over = session.read_all(given["over"]) if given["over"] else None
    saved = save(result, over, files, given["look"] or {}, session.watch.words)
    remark(session, result.meta.title or type(result).__name__, result, "")
    report(session, [Answer(None, result, saved)])
