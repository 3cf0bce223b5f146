"""`pellucid show`: an answer that was saved as numbers, drawn."""

from __future__ import annotations

import click

from pellucid.cli.answer import Answer, remark, report
from pellucid.cli.common import saved, spoken
from pellucid.cli.files import places, save
from pellucid.cli.page import Argument, Command, Option
from pellucid.cli.session import Session, running
from pellucid.cli.view import ViewOption
from pellucid.draw import kinds, view_options
from pellucid.result import stored


def command() -> click.Command:
    """The command."""
    return Command(
        "show", running(_show), purpose="Draw an answer that was saved as numbers",
        examples=("pellucid show panda.npz --over sample:panda", "pellucid show panda.npz --view dark --out panda.pdf"),
        details="--out x.npz of any command saves such a file. Nothing in it is run: it may come from anybody. Which "
        "keys --view takes depends on what was saved; they are those of the command that saved it.",
        params=[
            Argument("file", required=True, metavar="FILE", help="file of numbers, .npz, that a command has saved"),
            Option("--over", metavar="IMAGE", multiple=True, section="View",
                   help="image under the maps, given once for each image that the answer is about"),
            ViewOption({name: field for kind in kinds() for name, field in view_options(kind).items()}),
            *saved(), *spoken(),
        ],
    )  # fmt: skip


def _show(session: Session) -> None:
    given = session.given
    files = places(given["out"], [given["file"]], "show", formats=given["formats"], note=session.watch.note)[0]
    result = stored.open(given["file"])
    over = session.read_all(given["over"]) if given["over"] else None
    files = save(result, over, files, given["view"], session.watch.words)
    remark(session, result.meta.title or type(result).__name__, result, "")
    report(session, [Answer(None, result, files)])
