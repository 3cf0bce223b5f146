"""How alike two maps are."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from pellucid.evaluation.similarity import similarity


def test_a_map_is_like_itself_and_unlike_noise() -> None:
    chance = np.random.default_rng(0)
    heat = chance.random((20, 20))
    assert similarity(heat, heat).tolist() == pytest.approx([1, 1, 1])
    assert similarity(heat, 3 * heat + 7).tolist() == pytest.approx([1, 1, 1])
    other = similarity(heat, chance.random((20, 20)))
    assert abs(other[0]) < 0.15
    assert other[1] < 0.3
    assert other[2] < 0.3


def test_ranks_are_those_of_scipy_also_with_ties() -> None:
    chance = np.random.default_rng(1)
    a, b = chance.integers(0, 4, (2, 12, 12)).astype(float)
    assert similarity(a, b)[0] == pytest.approx(scipy.stats.spearmanr(a.ravel(), b.ravel()).statistic)


def test_a_flat_map_overlaps_as_chance_does() -> None:
    heat = np.random.default_rng(2).random((20, 20))
    assert similarity(heat, np.ones((20, 20)))[2] == pytest.approx(0.1)
    assert similarity(np.ones((20, 20)), np.ones((20, 20)))[0] == 0
