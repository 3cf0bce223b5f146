"""Infidelity on networks of known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pellucid.evaluation.faithfulness import missed, squares
from tests.evaluation.networks import plant

__all__ = ["plant"]


def test_sums_that_foretell_miss_nothing_and_zero_misses_all() -> None:
    lost = np.array([1.0, -2.0, 0.5])
    assert missed(3 * lost, lost) == pytest.approx(0)
    assert missed(np.zeros(3), lost) == 1
    assert missed(lost, np.zeros(3)) == 0
    assert missed(np.array([2.0, 1.0, 0.0]), lost) == pytest.approx(1)


def test_squares_are_squares_of_their_own(plant: Callable[..., None]) -> None:
    found = squares((20, 30), 50, 0, "a")
    for one in found:
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert one.sum() == len(rows) * len(columns)
        assert 1 <= len(rows) <= 7
    assert len({one.tobytes() for one in found}) > 40
