"""Gaps between groups, against slow plain counting."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from pellucid.evaluation.gaps import DRAWS, Counted, homogeneity
from pellucid.statistics import holm


def test_counts_are_counts() -> None:
    labels = np.array([4, 4, 4, 7, 7, 4])
    found = Counted.of(labels, ["a", "b", "a", "b", "b", "a"], np.array([True, False, False, True, True, True]))
    assert (found.classes, found.groups) == ((4, 7), ("a", "b"))
    assert found.images.tolist() == [[3, 1], [0, 2]]
    assert found.right.tolist() == [[2, 0], [0, 2]]
    assert [(one.of_class, one.group, one.accuracy) for one in found.shares] == [
        (4, "b", 0),
        (4, "a", 2 / 3),
        (7, "b", 1),
    ]
    assert not found.gaps(2, 0)
    assert found.gaps(1, 0)[4].apart == pytest.approx(2 / 3)


@pytest.mark.parametrize(("hits", "counts"), [((9, 4), (12, 11)), ((7, 7), (8, 10)), ((20, 9), (20, 14))])
def test_two_groups_are_tested_exactly(hits: tuple[int, int], counts: tuple[int, int]) -> None:
    """All ways of dealing out the right answers, weighed by how many there are."""
    whole, good = sum(counts), sum(hits)
    own, exact = abs(hits[0] / counts[0] - hits[1] / counts[1]), 0.0
    for k in range(max(0, good - counts[1]), min(counts[0], good) + 1):
        apart = abs(k / counts[0] - (good - k) / counts[1])
        if apart >= own - 1e-12:
            exact += comb(counts[0], k) * comb(counts[1], good - k) / comb(whole, good)
    found = homogeneity(np.array([hits]), np.array([counts]), 0, "test")
    assert found == pytest.approx(exact, abs=4 * (exact * (1 - exact) / DRAWS) ** 0.5 + 2 / DRAWS)


def test_classes_do_not_make_groups_differ() -> None:
    """An easy class that one group has more images of: over both together groups are apart, and not beyond chance."""
    right, images = np.array([[90, 9], [5, 50]]), np.array([[90, 9], [10, 100]])
    assert homogeneity(right, images, 0, "test") == 1.0
    found = Counted((0, 1), ("a", "b"), right, images).overall(10, 0)
    assert found is not None
    assert found.apart == pytest.approx(95 / 100 - 59 / 109)
    assert found.p == 1.0


def test_groups_that_do_not_differ_are_seldom_told_apart() -> None:
    chance = np.random.default_rng(0)
    found = [
        homogeneity(chance.binomial((40, 30, 20), 0.8)[None], np.array([[40, 30, 20]]), k, "test") for k in range(60)
    ]
    assert np.mean(np.array(found) < 0.05) < 0.15
    assert 0.3 < np.mean(found) < 0.7


def test_equal_groups_are_two() -> None:
    found = Counted((0,), ("a", "b"), np.array([[10, 10]]), np.array([[10, 10]])).gaps(10, 0)[0]
    assert (found.best, found.worst, found.apart, found.p) == ("a", "b", 0.0, 1.0)
    assert found.low < 0 < found.high


def test_several_tests_are_corrected() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
