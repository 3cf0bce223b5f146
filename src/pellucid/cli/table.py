"""`pellucid units table`: the units of an index that a condition holds for."""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from pellucid.catalogue import options_of
from pellucid.cli.answer import Answer, remark, report
from pellucid.cli.files import places, save
from pellucid.cli.indexed import opened, shared
from pellucid.cli.options import options_from
from pellucid.cli.page import Argument, Command
from pellucid.cli.session import Session, running
from pellucid.cli.view import ViewOption
from pellucid.draw import view_options
from pellucid.methods.units import Index, table
from pellucid.result import Table


def command() -> click.Command:
    """The command."""
    index = Argument("index", required=True, metavar=Index.written, help=Index.help)
    return Command(
        "table", running(_table), purpose="List the units of an index that an SQL condition holds for",
        params=[
            index, *options_from(options_of(table)), ViewOption(view_options(Table)),
            *shared("a table on the screen, tab-separated lines in a pipe"),
        ],
        examples=(
            "pellucid units table photos.index --sort greatest",
            "pellucid units table photos.index --where \"layer = 'blocks.6' and silent < 0.1\" --json",
        ),
        details=inspect.getdoc(table) or "",
    )  # fmt: skip


def _table(session: Session) -> None:
    given = session.given
    files: list[Path] = []
    if given["out"] or given["formats"]:
        called = [f"{given['index']}.x"]
        (files,) = places(given["out"], called, "units", formats=given["formats"], note=session.watch.note)
    session.use_threads()
    found = table(opened(given["index"], given), **{name: given[name] for name in options_of(table).model_fields})
    remark(session, "Units", found, "")
    report(session, [Answer(None, found, save(found, None, files, given["view"], session.watch.words))])
