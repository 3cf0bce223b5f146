"""Maps, drawn."""

from __future__ import annotations

from typing import Any

from pellucid.draw.picture import Picture
from pellucid.errors import PellucidError
from pellucid.result import Maps


def draw_maps(result: Maps, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Not drawn yet."""
    raise PellucidError("no picture yet")
