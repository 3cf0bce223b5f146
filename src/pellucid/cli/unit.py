"""`pellucid unit`: all that an index knows of one unit, as one picture."""

from __future__ import annotations

import click

from pellucid.catalogue import find
from pellucid.cli.indexed import command as of_index
from pellucid.cli.options import Command


def command() -> click.Command:
    """The command of `units.page`, under the name that people look for."""
    made = of_index(find("page"))
    return Command("unit", made.callback or (lambda: 0), params=made.params, summary="All about one unit of an index",
                   doc=made.help or "")  # fmt: skip
