"""Insertion on networks of known truth."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from tests.evaluation.networks import photos, weighted


def test_curves_begin_at_the_fill_and_end_at_the_image() -> None:
    found = pl.quality.insertion(weighted(), photos(2), of="gradient", fill="black", steps=4)
    ends = np.array([line.values[[0, -1]] for line in found["curves"].lines])
    assert np.allclose(ends, ends[0])
    assert ends[0, 0] == pytest.approx(0.5)
