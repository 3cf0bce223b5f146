"""Running means and variances against numpy over all samples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.statistics import Moments, auroc, error_of_mean, root, share_difference, standard_error

SAMPLES = 1e8 + np.random.default_rng(0).standard_normal((50, 3))
"""A mean that is large beside the spread: the squares of such numbers have lost it."""
KINDS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "array": (np.asarray, np.zeros(3)),
    "tensor": (torch.tensor, torch.zeros(3, dtype=torch.float64)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_after_another(kind: str) -> None:
    made, zero = KINDS[kind]
    found = Moments(zero)
    for row in SAMPLES:
        found.add(made(row))
    assert found.count == 50
    assert np.allclose(found.mean, SAMPLES.mean(0), rtol=1e-15)
    assert np.allclose(found.variance(), SAMPLES.var(0), rtol=1e-6)
    assert np.allclose(found.variance(1), SAMPLES.var(0, ddof=1), rtol=1e-6)
    assert np.allclose(found.sd, SAMPLES.std(0), rtol=1e-6)
    assert np.array_equal(zero, np.zeros(3)), "what it began with is left alone"


def test_a_sample_tells_how_far_it_is_from_the_mean_before_and_after() -> None:
    found = Moments(0.0)
    assert found.add(4.0) == (4.0, 0.0)
    assert found.add(10.0) == (6.0, 3.0)
    assert (found.mean, found.squares) == (7.0, 18.0)


@pytest.mark.parametrize("cut", [0, 1, 20, 50])
def test_parts_are_absorbed(cut: int) -> None:
    found = Moments(np.zeros(3))
    for part in (SAMPLES[:cut], SAMPLES[cut:]):
        if len(part):
            found.absorb(len(part), part.mean(0), part.var(0) * len(part))
    assert found.count == 50
    assert np.allclose(found.mean, SAMPLES.mean(0), rtol=1e-15)
    assert np.allclose(found.variance(), SAMPLES.var(0), rtol=1e-6)


def test_standard_errors() -> None:
    values = np.random.default_rng(1).standard_normal((30, 4))
    wanted = values.std(0, ddof=1) / 30**0.5
    squares = ((values - values.mean(0)) ** 2).sum(0)
    assert np.allclose(error_of_mean(values), wanted, rtol=1e-14)
    assert np.allclose(standard_error(squares, 30), wanted, rtol=1e-14)
    assert np.allclose(standard_error(torch.from_numpy(squares), 30), wanted, rtol=1e-14)
    assert standard_error(-1e-20, 30) == 0, "what rounding left below zero"


def test_a_difference_of_shares_has_the_published_interval() -> None:
    """Newcombe 1998, table II: 56/70 − 48/80, 9/10 − 3/10, 10/10 − 0/10."""
    for first, second, low, high in (((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090),
                                     ((10, 10), (0, 10), 0.6075, 1.0)):  # fmt: skip
        assert share_difference(first, second) == pytest.approx((low, high), abs=6e-5)
    assert share_difference((3, 10), (9, 10)) == pytest.approx((-0.8090, -0.1705), abs=6e-5)


def test_roots_are_of_the_kind_that_was_given() -> None:
    assert root(2.25) == 1.5
    assert np.array_equal(root(np.array([4.0, 9.0])), [2.0, 3.0])
    assert torch.equal(root(torch.tensor([4.0])), torch.tensor([2.0]))


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    chance = np.random.default_rng(0)
    above, below = chance.integers(0, 6, 40) + 1.0, chance.integers(0, 6, 60) + 0.0
    pairs = [(a > b) + 0.5 * (a == b) for a in above for b in below]
    area, error = auroc(above, below)
    assert area == pytest.approx(np.mean(pairs), abs=1e-12)
    drawn = [auroc(chance.normal(1, 1, 40), chance.normal(0, 1, 60)) for _ in range(300)]
    assert np.std([a for a, _ in drawn]) == pytest.approx(np.mean([e for _, e in drawn]), rel=0.15)
    assert error > 0
