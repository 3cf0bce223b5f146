"""The hierarchy of classes, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from pellucid.errors import PellucidError
from pellucid.surrogates.joined import Joined, grouped


def made(classes: int = 7, features: int = 5, seed: int = 0) -> tuple[Joined, np.ndarray]:
    chance = np.random.default_rng(seed)
    joined = Joined.of(chance.normal(size=(classes, features)), np.zeros(classes))
    return joined, 3 * chance.normal(size=(50, classes))


def test_leaves_sum_to_one() -> None:
    joined, logits = made()
    soft = joined.soft(logits)
    assert np.abs(soft.sum(1) - 1).max() < 1e-12
    assert (soft >= 0).all()


def test_it_is_what_it_is_defined_as() -> None:
    joined, logits = made()

    def walk(node: int, p: float, row: np.ndarray, found: dict[int, float]) -> None:
        if node < joined.classes:
            found[node] = p
            return
        children = joined.children(node)
        scores = [sum(float(row[k]) for k in joined.below[one]) / len(joined.below[one]) for one in children]
        for child, share in zip(children, softmax(scores), strict=True):
            walk(child, p * float(share), row, found)

    def hard(node: int, row: np.ndarray) -> int:
        while node >= joined.classes:
            node = max(joined.children(node), key=lambda one: row[joined.below[one]].mean())
        return node

    soft, ends = joined.soft(logits), joined.hard(logits)
    for i, row in enumerate(logits):
        found: dict[int, float] = {}
        walk(joined.root, 1.0, row, found)
        assert soft[i] == pytest.approx([found[k] for k in range(joined.classes)], abs=1e-14)
        assert ends[i] == hard(joined.root, row)


def test_of_two_classes_it_is_the_softmax() -> None:
    joined, logits = made(2)
    assert np.allclose(joined.soft(logits), softmax(logits, 1), atol=1e-15)
    assert np.array_equal(joined.hard(logits), logits.argmax(1))


def test_each_image_of_a_batch_is_decided_by_itself() -> None:
    joined, logits = made()
    alone = np.concatenate([joined.soft(one[None]) for one in logits])
    assert np.array_equal(alone, joined.soft(logits))
    assert [int(joined.hard(one[None])[0]) for one in logits] == joined.hard(logits).tolist()
    assert len({int(one) for one in joined.hard(logits)}) > 2


def test_lengths_of_weights_do_not_matter() -> None:
    chance = np.random.default_rng(3)
    weight = chance.normal(size=(6, 4))
    one = Joined.of(weight, np.zeros(6))
    other = Joined.of(weight * chance.uniform(0.1, 9, (6, 1)), np.zeros(6))
    assert np.array_equal(one.pairs, other.pairs)


def test_classes_that_are_alike_are_joined_first() -> None:
    weight = np.array([[1, 0, 0], [0, 1, 0], [0.98, 0.05, 0], [0.05, 0.97, 0.1]])
    joined = Joined.of(weight, np.zeros(4))
    assert joined.written(("cat", "car", "dog", "bus")) == "((cat dog) (car bus))"
    of_class, names = grouped(joined, ("cat", "car", "dog", "bus"), 2)
    assert of_class[0] == of_class[2] != of_class[1] == of_class[3]
    assert set(names) == {"cat, dog", "car, bus"}


@pytest.mark.parametrize("groups", [2, 4, 7])
def test_groups_hold_every_class_once(groups: int) -> None:
    joined, _ = made()
    nodes = joined.cut(groups)
    assert len(nodes) == groups
    assert sorted(np.concatenate([joined.below[node] for node in nodes]).tolist()) == list(range(7))
    of_class, names = grouped(joined, tuple("abcdefg"), groups)
    assert sorted(set(of_class.tolist())) == list(range(groups))
    assert len(set(names)) == groups


def test_what_cannot_be_joined_is_refused() -> None:
    with pytest.raises(PellucidError, match="2 at the least"):
        Joined.of(np.ones((1, 3)), np.zeros(1))
    joined, _ = made()
    for wrong in (1, 8):
        with pytest.raises(PellucidError, match=f"groups={wrong}"):
            joined.cut(wrong)


def test_a_group_is_called_by_the_class_in_its_middle() -> None:
    joined = Joined.of(np.array([[1, 0.4], [1, 0.0], [1, -0.4], [-1, 0.0]]), np.zeros(4))
    called = [joined.called(node, ("wolf", "dog", "fox", "car")) for node in joined.cut(2)]
    assert sorted(called) == ["car", "dog and 2 more"]
