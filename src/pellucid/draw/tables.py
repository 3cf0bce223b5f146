"""Table, drawn."""

from __future__ import annotations

from typing import Any

from pellucid.draw.letters import number
from pellucid.draw.picture import Picture
from pellucid.errors import PellucidError
from pellucid.result import Table
from pellucid.result.table import Cell


def cell(value: Cell) -> str:
    """One value for eyes: three digits, a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def draw_table(result: Table, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Not drawn yet."""
    raise PellucidError("no picture yet")
