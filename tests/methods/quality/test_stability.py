"""Stability on networks of known truth."""

from __future__ import annotations

import pytest

import pellucid as pl
from tests.evaluation.networks import photos, weighted


def test_what_takes_the_shift_back_and_what_does_not() -> None:
    """The gradient is the same of the shifted pixels; multiplied by them it is not (Kindermans et al. 2019)."""
    found = pl.quality.stability(weighted(), photos(2), of="gradient,gradient_times_input", shift=1)
    grid = found["changes"]
    at = {name: dict(zip(grid.columns, row, strict=True)) for name, row in zip(grid.rows, grid.values, strict=True)}
    assert at["gradient"]["input shift"] == pytest.approx(1)
    assert at["gradient_times_input"]["input shift"] < 0.999
    assert at["gradient"]["other seed"] == 1
    assert at["random"]["other seed"] < 0.3
    assert at["center"]["JPEG file"] == pytest.approx(1)
