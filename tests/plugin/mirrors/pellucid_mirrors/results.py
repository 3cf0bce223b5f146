"""A kind of result, and its drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from pellucid.draw.drawings import drawing
from pellucid.draw.picture import Picture
from pellucid.draw.tables import draw_table
from pellucid.result import Meta, Result, Table


@dataclass(frozen=True, eq=False)
class Flips(Result):
    """By how much the score changes: (N, 2), of the image mirrored left to right, and of it upside down."""

    each = ("values",)
    values: Float[np.ndarray, "n 2"]
    unit: str = ""
    meta: Meta = field(default_factory=Meta)

    def __len__(self) -> int:
        return len(self.values)


@drawing(Flips)
def draw_flips(result: Flips, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """As a table, one row for each image."""
    columns = {"left to right": [*result.values[:, 0].tolist()], "upside down": [*result.values[:, 1].tolist()]}
    table = Table(columns, dict.fromkeys(columns, f"change in {result.unit}"), meta=result.meta)
    return draw_table(table, title=title, dark=dark)
