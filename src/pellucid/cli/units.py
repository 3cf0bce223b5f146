"""`pellucid units`: the units of an index that a condition holds for."""

from __future__ import annotations

from typing import Annotated

import click
from pydantic import Field

from pellucid.cli.answers import Answer, remark, report
from pellucid.cli.files import places, save
from pellucid.cli.indexed import KEPT, network, opened
from pellucid.cli.options import Command, Option, common, option
from pellucid.cli.session import Session, running
from pellucid.methods.units import table


def command() -> click.Command:
    """The command."""
    own = [
        Option("--where", metavar="SQL", help="a condition, such as \"layer = 'blocks.6' and silent < 0.1\""),
        Option("--sort", metavar="COLUMN", help="largest first; or what may stand behind ORDER BY"),
        Option("--columns", metavar="NAME,…", help="which to show  [default: a few, and those that are asked about]"),
        option("--most", type=Annotated[int, Field(ge=0)], default=20, help="rows; 0: all"),
    ]
    index = click.Argument(["index"], metavar="INDEX", type=click.Path())
    pictures = Option("--pictures", metavar="SOURCE", help="where the pictures lie now, if they were moved")
    return Command(
        "units", running(_units),
        params=[index, *own, *network(), pictures, *(one for one in common(out=True) if one.name in KEPT)],
        summary="The units of an index, asked in SQL", doc=table.__doc__ or "",
    )  # fmt: skip


def _units(session: Session) -> None:
    given = session.given
    files = places(given["out"], [f"{given['index']}.x"], "units")[0] if given["out"] else []
    session.use_threads()
    names = tuple(one.strip() for one in given["columns"].split(",")) if given["columns"] else None
    found = table(
        opened(given["index"], given), where=given["where"], sort=given["sort"], columns=names, most=given["most"]
    )
    remark(session, "Units", found, "")
    report(session, [Answer(None, found, save(found, None, files, given["look"] or {}, session.watch.words))])
