"""Grids: one number for each pair of a row and a column, such as a layer and a step of training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class Grid(Result):
    """`values` (R, C) of `rows` and `columns`; NaN where nothing was measured. `quantity` says what they are."""

    values: Float[np.ndarray, "r c"]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    quantity: str = ""
    row_axis: str = ""
    """What the rows are, such as "layer"."""
    column_axis: str = ""
    log: bool = False
    """Whether equal steps of color are equal factors."""
    center: float | None = None
    """The value with a color of its own, between two hues: 0 for differences, 1 for ratios."""
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.rows), len(self.columns)):
            raise ValueError(f"{self.values.shape} values for {len(self.rows)} rows and {len(self.columns)} columns")

    def __repr__(self) -> str:
        return f"Grid({self.quantity}: {len(self.rows)} × {len(self.columns)})"
