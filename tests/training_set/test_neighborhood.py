"""Neighbors and Shapley values, against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.training_set.folds import fold_of
from pellucid.training_set.neighborhood import disagreement, nearest, nearest_to, shapley, shapley_held_out, unit_rows


def brute(rows: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: int, k: int) -> list[float]:
    """The Shapley value of each of 7 examples, over all 2⁷ subsets."""
    many, alike = len(rows), rows @ test

    def utility(some: tuple[int, ...]) -> float:
        near = sorted(some, key=lambda i: (-alike[i], i))[:k]
        return sum(labels[i] == truth for i in near) / k

    found = []
    for i in range(many):
        others, total = [j for j in range(many) if j != i], 0.0
        for size in range(many):
            weight = math.factorial(size) * math.factorial(many - size - 1) / math.factorial(many)
            for some in itertools.combinations(others, size):
                total += weight * (utility((*some, i)) - utility(some))
        found.append(total)
    return found


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_shapley_values_are_those_of_all_subsets(k: int) -> None:
    chance = np.random.default_rng(k)
    rows, labels = unit_rows(chance.normal(size=(7, 4))), chance.integers(0, 2, 7)
    tests, truth = unit_rows(chance.normal(size=(3, 4))), chance.integers(0, 2, 3)
    wanted = np.mean([brute(rows, labels, one, int(y), k) for one, y in zip(tests, truth, strict=True)], 0)
    assert np.abs(shapley(rows, labels, tests, truth, k) - wanted).max() <= 1e-15


def test_they_have_the_sum_of_the_utility() -> None:
    chance = np.random.default_rng(0)
    rows, labels = unit_rows(chance.normal(size=(40, 5))), chance.integers(0, 3, 40)
    tests, truth = unit_rows(chance.normal(size=(11, 5))), chance.integers(0, 3, 11)
    near = np.argsort(-(tests @ rows.T), 1)[:, :4]
    right = (labels[near] == truth[:, None]).mean()
    assert shapley(rows, labels, tests, truth, 4).sum() == pytest.approx(right, abs=1e-12)


def test_a_wrong_label_among_its_own_costs_most() -> None:
    chance = np.random.default_rng(2)
    truth = np.arange(60) % 3
    features = np.eye(3)[truth] * 5 + chance.normal(size=(60, 3))
    labels = truth.copy()
    labels[7] = (labels[7] + 1) % 3
    found = shapley_held_out(unit_rows(features), labels, 5, fold_of(labels, 4, 0))
    assert found.argmin() == 7
    assert disagreement(nearest(features, 8), labels).argmax() == 7


def test_neighbors_are_those_of_brute_force() -> None:
    chance = np.random.default_rng(5)
    features = chance.normal(size=(30, 6)) + 3
    rows = features - features.mean(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    alike = rows @ rows.T
    wanted = [sorted((j for j in range(30) if j != i), key=lambda j: (-alike[i, j], j))[:6] for i in range(30)]
    assert nearest(features, 6).tolist() == wanted
    some = np.array([3, 17])
    assert nearest_to(features, some, 6).tolist() == [wanted[3], wanted[17]]


def test_an_image_is_never_its_own_neighbor_however_many_are_equal() -> None:
    features = np.repeat(np.array([[1.0, 0.0], [0.0, 1.0]]), 6, 0)
    found = nearest(features, 3)
    assert all(i not in row for i, row in enumerate(found.tolist()))
    assert all((row < 6).all() == (i < 6) for i, row in enumerate(found))
    assert nearest(features, 50).shape == (12, 11)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PellucidError, match="among 1 examples"):
        nearest(np.ones((1, 2)), 3)
    rows = np.eye(3)
    with pytest.raises(PellucidError, match="1 to 3"):
        shapley(rows, np.zeros(3, int), rows, np.zeros(3, int), 4)
