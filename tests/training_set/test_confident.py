"""Confident learning, against its definition counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.training_set.confident import Confident


def made(n: int = 60, classes: int = 4, seed: int = 0) -> Confident:
    chance = np.random.default_rng(seed)
    return Confident(chance.dirichlet(np.full(classes, 0.4), n), chance.integers(0, classes, n))


def test_it_is_what_it_is_defined_as() -> None:
    found = made()
    p, labels = found.probabilities.tolist(), found.labels.tolist()
    classes = len(p[0])
    t = [sum(p[i][j] for i in range(60) if labels[i] == j) / labels.count(j) for j in range(classes)]
    counts = [[0] * classes for _ in range(classes)]
    flagged = []
    for row, y in zip(p, labels, strict=True):
        above = [j for j in range(classes) if row[j] >= t[j]]
        if above:
            counts[y][max(above, key=lambda j: row[j])] += 1
        flagged.append(bool(above) and max(above, key=lambda j: row[j]) != y)
    assert found.thresholds == pytest.approx(t)
    assert found.counts.tolist() == counts
    assert found.flagged.tolist() == flagged
    joint = [[counts[i][j] / sum(counts[i]) * labels.count(i) / 60 for j in range(classes)] for i in range(classes)]
    assert found.joint == pytest.approx(np.array(joint))
    assert found.noise == pytest.approx(1 - sum(joint[i][i] for i in range(classes)))
    for i, (row, y) in enumerate(zip(p, labels, strict=True)):
        assert found.self_confidence[i] == pytest.approx(row[y])
        assert found.margin[i] == pytest.approx(row[y] - max(v for j, v in enumerate(row) if j != y))
        entropy = -sum(v * math.log(v) for v in row if v > 0) / math.log(classes)
        assert found.entropy_weighted[i] == pytest.approx(row[y] / entropy)


def test_it_finds_the_noise_that_is_there() -> None:
    """Sure and right probabilities, a tenth of the labels turned to the next class."""
    truth = np.arange(1000) % 5
    labels = np.where(np.arange(1000) % 10 == 3, (truth + 1) % 5, truth)
    found = Confident(np.eye(5)[truth] * 0.96 + 0.008, labels)
    assert found.noise == pytest.approx(0.1)
    assert np.array_equal(found.flagged, labels != truth)


def test_a_class_without_examples_counts_nobody() -> None:
    found = Confident(np.array([[0.4, 0.6], [0.7, 0.3]]), np.array([0, 0]))
    assert found.thresholds.tolist() == [0.55, np.inf]
    assert found.counted_as.tolist() == [-1, 0]
    assert found.noise == 0


@pytest.mark.parametrize(
    ("p", "labels", "said"),
    [
        (np.full((2, 2), 0.5), np.array([0]), "labels"),
        (np.full((2, 2), 0.5), np.array([0, 2]), "0 to 2 for 2 classes"),
        (np.full((2, 2), 0.4), np.array([0, 1]), "have the sum 1"),
        (np.array([[1.5, -0.5]]), np.array([0]), "have the sum 1"),
        (np.array([[np.nan, 0.5]]), np.array([0]), "have the sum 1"),
    ],
)
def test_what_is_no_probability_is_refused(p: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(PellucidError, match=said):
        Confident(p, labels)
