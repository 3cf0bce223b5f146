"""Prototypes and criticisms, against plain float64 and against every choice there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import nnls

from pellucid.training_set import prototypes
from pellucid.training_set.prototypes import (
    Kernel,
    criticisms,
    mmd2,
    mmd_critic,
    nearest_of,
    proto_dash,
    weights_of,
)


def rows(n: int = 12, f: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, f))


def similarities(x: np.ndarray, gamma: float) -> np.ndarray:
    return np.array([[np.exp(-gamma * sum((a - b) ** 2)) for b in x] for a in x])


def critic(k: np.ndarray, chosen: tuple[int, ...]) -> float:
    """J(S), written out."""
    n, m = len(k), len(chosen)
    return (
        2 / (n * m) * sum(k[i, s] for i in range(n) for s in chosen)
        - 1 / m**2 * sum(k[s, t] for s in chosen for t in chosen)
    )  # fmt: skip


def test_gamma_is_one_over_the_median_of_all_squared_distances() -> None:
    x = rows(9)
    apart = [((a - b) ** 2).sum() for a, b in combinations(x, 2)]
    assert np.isclose(Kernel.of(x).gamma, 1 / np.median(apart))
    assert Kernel.of(np.ones((4, 2))).gamma == 1.0
    few = np.concatenate([np.zeros((9, 2)), [[3.0, 4.0]]])  # most pairs are equal
    assert np.isclose(Kernel.of(few).gamma, 1 / (9 * 25 / 45))
    many = rows(3000)
    assert Kernel.of(many).gamma == Kernel.of(many).gamma
    assert np.isclose(Kernel.of(many).gamma, 1 / np.median(((many[:500, None] - many[500:1000]) ** 2).sum(2)), rtol=0.1)


def test_similarities_are_those_of_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows(11) + 50  # far from the origin, where squares cancel
    kernel = Kernel.of(x)
    k = similarities(x, kernel.gamma)
    assert np.allclose(kernel.of_rows(np.array([3, 0])), k[[3, 0]], atol=1e-10)
    assert np.allclose(kernel.means(), k.mean(1), atol=1e-10)
    monkeypatch.setattr(prototypes, "_TILE", 4)  # in pieces the same
    assert np.allclose(kernel.means(), k.mean(1), atol=1e-10)
    assert np.allclose(kernel.of_rows(np.array([3])), k[[3]], atol=1e-10)
    monkeypatch.setattr(prototypes, "_EXACT", 4)
    assert np.allclose(Kernel.of(x, kernel.gamma).means(), k.mean(1), atol=1e-6)


def test_discrepancy_is_that_of_the_formula() -> None:
    x = rows(10)
    kernel = Kernel.of(x)
    k, chosen, w = similarities(x, kernel.gamma), np.array([1, 4, 7]), np.array([0.2, 0.5, 0.1])
    whole = np.zeros(10)
    whole[chosen] = w
    apart = np.full(10, 0.1) - whole
    assert np.isclose(mmd2(kernel.means(), chosen, kernel.of_rows(chosen), w), apart @ k @ apart)


@pytest.mark.parametrize("seed", range(4))
def test_each_prototype_is_the_best_next_one(seed: int) -> None:
    x = rows(12, seed=seed)
    kernel = Kernel.of(x)
    k = similarities(x, kernel.gamma)
    found = mmd_critic(kernel, kernel.means(), 5)
    chosen: tuple[int, ...] = ()
    for row, apart in zip(found.rows.tolist(), found.mmd2, strict=True):
        gains = {j: critic(k, (*chosen, j)) for j in range(12) if j not in chosen}
        assert np.isclose(gains[row], max(gains.values()))
        chosen = (*chosen, row)
        assert np.isclose(apart, k.mean() - critic(k, chosen))


@pytest.mark.parametrize("gamma", [None, 1e3])
@pytest.mark.parametrize("seed", range(4))
def test_greedy_is_at_least_63_percent_of_the_best_choice(seed: int, gamma: float | None) -> None:
    """With γ = 1000 the similarities of different rows meet the condition of Kim et al., corollary 3."""
    x = rows(12, seed=seed)
    kernel = Kernel.of(x, gamma)
    k = similarities(x, kernel.gamma)
    if gamma:
        assert (k - np.eye(12)).max() <= 1 / (12**3 + 2 * 12**2 - 2 * 12 - 3)
    found = mmd_critic(kernel, kernel.means(), 9)
    for m in range(1, 10):
        best = max(critic(k, one) for one in combinations(range(12), m))
        mine = critic(k, tuple(found.rows[:m]))
        assert mine <= best + 1e-12
        if best > 0:
            assert mine >= (1 - 1 / np.e) * best


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_the_best_that_are_not_negative(seed: int) -> None:
    x = rows(12, seed=seed)
    kernel = Kernel.of(x)
    k, means = similarities(x, kernel.gamma), kernel.means()
    chosen = np.array([0, 3, 5, 8, 9])
    found = weights_of(k[np.ix_(chosen, chosen)], means[chosen])
    values, vectors = np.linalg.eigh(k)
    features = vectors * np.sqrt(np.maximum(values, 0))  # rows whose products are k
    assert np.allclose(found, nnls(features[chosen].T, features.mean(0))[0], atol=1e-7)
    slope = means[chosen] - k[np.ix_(chosen, chosen)] @ found
    assert (found >= 0).all()
    assert (slope <= 1e-9).all()
    assert np.allclose(slope[found > 0], 0, atol=1e-9)


def test_weighted_prototypes_are_nearer_than_equal_ones() -> None:
    x = np.concatenate([rows(40, seed=1) * 0.1, rows(8, seed=2) * 0.1 + 3])  # five times as many in one place
    kernel = Kernel.of(x, 0.1)
    means = kernel.means()
    equal, weighted = mmd_critic(kernel, means, 2), proto_dash(kernel, means, 2)
    assert {int(row) // 40 for row in weighted.rows} == {0, 1}
    assert weighted.weights[0] > 3 * weighted.weights[1] > 0
    assert weighted.mmd2[-1] < equal.mmd2[-1]
    assert (np.diff(weighted.mmd2) < 0).all()


def test_no_further_prototype_where_none_adds_any() -> None:
    x = np.repeat(rows(3), 4, 0)  # three places, four rows in each
    kernel = Kernel.of(x)
    found = proto_dash(kernel, kernel.means(), 8)
    assert len(found.rows) == 3
    assert np.isclose(found.mmd2[-1], 0, atol=1e-9)
    assert len(mmd_critic(kernel, kernel.means(), 8).rows) == 8


@pytest.mark.parametrize("seed", range(3))
def test_each_criticism_is_the_best_next_one(seed: int) -> None:
    x = rows(12, seed=seed)
    kernel = Kernel.of(x)
    k, means = similarities(x, kernel.gamma), kernel.means()
    standing = mmd_critic(kernel, means, 3)
    found, witness = criticisms(kernel, means, standing, 4)
    told = k.mean(1) - k[:, standing.rows].mean(1)
    assert np.allclose(witness, told[found], atol=1e-12)
    chosen: tuple[int, ...] = ()
    for row in found.tolist():
        gains = {
            j: np.abs(told[[*chosen, j]]).sum() + np.linalg.slogdet(k[np.ix_([*chosen, j], [*chosen, j])])[1]
            for j in range(12) if j not in chosen and j not in standing.rows
        }  # fmt: skip
        assert np.isclose(gains[row], max(gains.values()))
        chosen = (*chosen, row)
    assert len(criticisms(kernel, means, standing, 50)[0]) == 9
    assert len(criticisms(kernel, means, standing, 0)[0]) == 0


def test_an_outlier_that_no_prototype_is_like_is_a_criticism() -> None:
    x = np.concatenate([rows(40) * 0.2, [[9.0, 9.0, 9.0]]])
    kernel = Kernel.of(x, 0.05)
    means = kernel.means()
    standing = mmd_critic(kernel, means, 3)
    found, witness = criticisms(kernel, means, standing, 2)
    assert 40 in found
    assert witness[found.tolist().index(40)] == pytest.approx(1 / 41, abs=1e-6)


def test_the_nearest_is_that_of_all_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    x, some = rows(50, seed=3) + 20, rows(7, seed=4) + 20
    apart = ((x[:, None] - some) ** 2).sum(2)
    monkeypatch.setattr(prototypes, "_TILE", 16)
    which, found = nearest_of(x, some)
    assert np.array_equal(which, apart.argmin(1))
    assert np.allclose(found, apart.min(1), atol=1e-10)
