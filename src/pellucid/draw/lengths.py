"""How the numbers of a column become lengths of bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.result import Table
from pellucid.result.table import Cell

_LOG = 300.0  # from the usual to the largest: beyond, only powers of ten show both


def numbers_of(values: Sequence[Cell]) -> NDArray[np.float64]:
    """A column as numbers; NaN for what is not known, and for words."""
    return np.array([float(v) if isinstance(v, (int, float)) else math.nan for v in values])


class Axis:
    """How a column's numbers become lengths of bars: 0..1 from the bottom of their range."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        known = values[np.isfinite(values)]
        self.low, self.high = min(float(known.min(initial=0)), 0.0), max(float(known.max(initial=0)), 0.0)
        above = known[known > 0]
        self.log = bool(above.size and self.low == 0 and self.high > _LOG * np.median(above))
        if self.log:
            self.low = 10.0 ** math.floor(math.log10(max(float(above.min()), self.high * 1e-12)))
        self.zero = 0.0 if self.log else self._share(0.0)

    def _share(self, value: float) -> float:
        if self.log:
            span = math.log10(self.high / self.low) or 1.0
            return math.log10(max(value, self.low) / self.low) / span
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def at(self, value: float) -> float:
        """Where a value lies, 0..1; at the nearer end where it lies beyond."""
        return min(max(self._share(value), 0.0), 1.0)

    def ends(self, value: float) -> tuple[float, float] | None:
        """Where the bar of a value begins and ends; None for what is not known."""
        if math.isnan(value):
            return None
        at = self.at(value)
        return min(at, self.zero), max(at, self.zero)


def axis_of(result: Table, name: str) -> Axis:
    """The axis of a column: long enough for its error bars."""
    values = numbers_of(result.columns[name])
    if name not in result.errors:
        return Axis(values)
    errors = np.nan_to_num(numbers_of(result.columns[result.errors[name]]))
    return Axis(np.concatenate([values - errors, values + errors]))


def bars(result: Table, name: str) -> list[tuple[float, float] | None]:
    """Where the bar of each row of a column begins and ends, as shares of the room for it; None where it has none."""
    axis = axis_of(result, name)
    return [axis.ends(value) for value in numbers_of(result.columns[name]).tolist()]
