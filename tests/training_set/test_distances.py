"""Distances to a class: those of slow float64, without the image itself, and whose are usual where a class is small."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.training_set.distances import FEWEST, ClassDistances
from pellucid.training_set.examples import Examples

LABELS = np.array([0] * 6 + [1, 1, 2, -1])


def examples() -> Examples:
    """Ten images of three classes; the last has no label and is taken for the third."""
    chance = np.random.default_rng(1)
    features = chance.random((10, 4)).astype(np.float32)
    logits = np.full((10, 3), -1.0)
    logits[np.arange(10), np.where(LABELS < 0, 2, LABELS)] = 1
    logits[5] = (0, 1, -1)  # labeled as the first and taken for the second: an image of both
    names, weight = tuple(map(str, range(10))), np.zeros((3, 4))
    return Examples(features, logits, LABELS, np.arange(10), names, ("a", "b", "c"), weight, np.zeros(3), False)


def apart(one: np.ndarray, other: np.ndarray, center: np.ndarray) -> float:
    a, b = one.astype(np.float64) - center, other.astype(np.float64) - center
    return float(1 - a @ b / np.sqrt((a @ a) * (b @ b)))


MEMBERS = {0: [0, 1, 2, 3, 4, 5], 1: [5, 6, 7], 2: [8, 9]}


def test_the_nearest_of_a_class_by_label_or_answer() -> None:
    some, found = examples(), ClassDistances(examples())
    rows, center = some.features, some.features.astype(np.float64).mean(0)
    read = np.random.default_rng(2).random((1, 4)).astype(np.float32)
    for number, members in MEMBERS.items():
        wanted = min(apart(read[0], rows[i], center) for i in members)
        assert found.distance(read, number, read) == pytest.approx(wanted, abs=1e-9)
        others = [i for i in members if i != members[0]]
        without = found.distance(rows[members[:1]] * 1, number, rows[members[:1]])
        assert without == pytest.approx(min(apart(rows[members[0]], rows[i], center) for i in others), abs=1e-9)


def test_usual_is_from_each_to_the_next_of_its_class() -> None:
    some, found = examples(), ClassDistances(examples())
    rows, center = some.features, some.features.astype(np.float64).mean(0)

    def slow(members: list[int]) -> list[float]:
        return [min(apart(rows[i], rows[j], center) for j in members if j != i) for i in members]

    assert len(MEMBERS[0]) >= FEWEST > len(MEMBERS[1])
    assert found.usual(0) == pytest.approx(slow(MEMBERS[0]), abs=1e-9)
    assert found.usual(2) == pytest.approx([one for members in MEMBERS.values() for one in slow(members)], abs=1e-9)


def test_a_class_without_images_has_no_distance() -> None:
    some = examples()
    bare = some.of(np.array([0, 6]))
    found, read = ClassDistances(bare), some.features[:1]
    assert np.isnan(found.distance(read, 2, read))
    assert np.isnan(found.distance(read, 0, read))  # the only one is the image itself
    assert len(found.usual(0)) == 0
