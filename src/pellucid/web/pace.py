"""How fast work goes, and how long it will take: of what it says about its progress."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

_EVERY, _MOST = 1.0, 60
"""Seconds between two marks, and how many of them say how fast it goes now."""
_SURE = 2.0
"""Seconds below which nothing is said."""

Works = Sequence[Sequence[Any]]
"""[what, done, total] of loops within loops, the outermost first."""


class Pace:
    """Watches loops within loops."""

    def __init__(self) -> None:
        self._loop: object = None
        self._marks: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def heard(self, works: Works) -> None:
        """Where it is now."""
        if not works:
            return
        loop, now, share = (works[0][0], works[0][2]), time.monotonic(), _share(works)
        if loop != self._loop or (self._marks and share < self._marks[-1][1]):
            self._loop = loop
            self._marks.clear()
        if not self._marks or now - self._marks[-1][0] >= _EVERY:
            self._marks.append((now, share))

    def left(self, works: Works | None) -> float | None:
        """Seconds that the outermost loop will still take; None where that cannot be said yet."""
        if not works or not self._marks or not works[0][2]:
            return None
        (begun, first), share = self._marks[0], _share(works)
        taken = time.monotonic() - begun
        if taken < _SURE or share <= first:
            return None
        return round((1 - share) * taken / (share - first), 1)

    def rate(self, works: Works | None) -> float | None:
        """Rounds of the outermost loop in a second."""
        left = self.left(works)
        if left is None or not works:
            return None
        return round((1 - _share(works)) * works[0][2] / left, 4) if left else None


def _share(works: Works) -> float:
    """How much of the outermost loop is done, as far as the inner ones say it."""
    share = 0.0
    for _, done, total in reversed(works):
        share = min((done + share) / total, 1.0) if total else 0.0
    return share
