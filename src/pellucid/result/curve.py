"""Curves: named series of numbers over one axis, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from pellucid.errors import unknown
from pellucid.result.base import Meta, Result
from pellucid.result.checks import Check

Style = Literal["line", "dashed", "faint", "points"]
"""How a line is drawn: dashed for what is compared with, faint for one of many repetitions."""


@dataclass(frozen=True, eq=False)
class Line:
    """One series: `values` (K,) at `points` (K,), in order. NaN where nothing was measured, or no number came out.

    Lines of one `quantity`, such as "loss, nats" or "accuracy", share a plot.
    """

    name: str
    points: Float[np.ndarray, " k"]
    values: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"] | None = None
    """(K,) standard errors of the values."""
    quantity: str = ""
    style: Style = "line"
    group: str = ""
    """Lines of one group, such as those of one network, have one color."""


@dataclass(frozen=True, eq=False)
class Mark:
    """A place on the axis that a reader should know: a checkpoint, the point where training should have stopped."""

    at: float | int
    text: str


@dataclass(frozen=True, eq=False)
class Curve(Result):
    """Lines over one axis. `axis` says what the points are, with their unit."""

    lines: tuple[Line, ...]
    axis: str
    marks: tuple[Mark, ...] = ()
    findings: tuple[str, ...] = ()
    """One-line conclusions for the reader."""
    checks: tuple[Check, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        return f"Curve({', '.join(line.name for line in self.lines)} over {self.axis})"

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, name: str) -> Line:
        """The line of that name. Raises UnknownName with the nearest."""
        for line in self.lines:
            if line.name == name:
                return line
        raise unknown("line", name, [line.name for line in self.lines])

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is measured, in the order of the lines."""
        return tuple(dict.fromkeys(line.quantity for line in self.lines))
