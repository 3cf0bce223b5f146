"""`pellucid similar`: what is like this, be it a unit or a picture."""

from __future__ import annotations

from pathlib import Path

import click

from pellucid.catalogue import find
from pellucid.cli.indexed import answered
from pellucid.cli.indexed import command as of_index
from pellucid.cli.options import Command, Option
from pellucid.cli.session import Session, running
from pellucid.methods.units import Unit


def command() -> click.Command:
    """The command of `units.similar`, which passes pictures on to `representation.neighbours`."""
    made = of_index(find("units.similar"))
    layer = Option("--layer", metavar="NAME", help="where pictures are compared  [default: what the head reads]")
    return Command(
        "similar",
        running(_similar),
        params=[*made.params, layer],
        summary="What is like this: units, or pictures",
        doc=f"{made.help}\n\nOf a picture instead of LAYER:UNIT, the pictures of the index that are most like it.",
    )


def _similar(session: Session) -> None:
    units = find("units.similar")
    unit = str(units.argument(Unit))
    asked = session.given[unit]
    if not (asked.startswith(("sample:", "http://", "https://", "file://")) or Path(asked).is_file()):
        answered(session, units)
        return
    neighbours = find("neighbours")
    options = {name: field.get_default() for name, field in neighbours.options.model_fields.items()}
    options |= {name: session.given[name] for name in ("count", "layer") if name in options}
    session.given = {**session.given, **options, "images": (asked,), unit: None}
    answered(session, neighbours)
