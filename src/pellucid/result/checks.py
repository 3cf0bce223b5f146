"""Checks: what a result says of itself, computed in a second way, and how far a map can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Check:
    """A number that was found in two ways: `expected` by other means than the result's own, and `found` in it."""

    name: str
    expected: float
    found: float
    tolerance: float
    """How far apart they may be, in their own unit."""
    text: str = ""
    """What was compared with what, as a sentence reads it."""

    @property
    def passed(self) -> bool:
        """Whether they agree; numbers that are not finite agree with nothing."""
        return math.isfinite(self.found) and abs(self.found - self.expected) <= self.tolerance

    def __str__(self) -> str:
        sign = "=" if self.passed else "≠"
        return f"{self.name}: {self.found:.6g} {sign} {self.expected:.6g} (± {self.tolerance:.2g})"

    def derived(self) -> dict[str, bool]:
        """Whether it passed, for descriptions."""
        return {"passed": self.passed}


@dataclass(frozen=True, eq=False)
class Trust:
    """What one check says of a map: its figure, and whether it speaks for the map; None where it says neither."""

    name: str
    value: float
    passed: bool | None
    text: str
    """In words, such as a caption holds them."""

    def __str__(self) -> str:
        return self.text
