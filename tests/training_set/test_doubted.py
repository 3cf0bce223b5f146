"""Doubted labels: wrong ones come first, by fits and in closed form, among the classes that the labels have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pellucid.notes import collected
from pellucid.statistics import auroc
from pellucid.training_set.doubted import Doubted, doubted
from pellucid.training_set.examples import Examples
from pellucid.training_set.held_against import held_against
from pellucid.training_set.neighborhood import nearest
from pellucid.training_set.seen import part_of

WRONG = np.array([4, 33, 71, 100])


def examples(classes: int = 3) -> Examples:
    """120 images of the first three of some classes, four of them with a wrong label."""
    chance = np.random.default_rng(3)
    true = np.arange(120) % 3
    features = (chance.normal(0, 0.6, (120, 8)) + 3 * np.eye(8)[true]).astype(np.float32)
    labels = true.copy()
    labels[WRONG] = (labels[WRONG] + 1) % 3
    weight = np.zeros((classes, 8))
    weight[:3, :3] = 2 * np.eye(3)
    names = tuple(f"{i}.png" for i in range(120))
    return Examples(
        features, features.astype(float) @ weight.T, labels.astype(np.int64), np.arange(120), names,
        tuple(f"class {k}" for k in range(classes)), weight, np.zeros(classes), False, layer="relu",
    )  # fmt: skip


def asked(some: Examples) -> Doubted:
    described = np.random.default_rng(0).random((len(some), 5)).astype(np.float32)
    return doubted(some, nearest(some.features, 20), described, 0)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("classes", [3, 9])
def test_wrong_labels_come_first(closed: bool, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if closed:
        monkeypatch.setattr("pellucid.training_set.doubted.FITS", 0)
    some = examples(classes)
    with collected() as said:
        found = asked(some)
    assert set(found.order[:4]) == set(WRONG)
    assert np.flatnonzero(found.wrong).tolist() == WRONG.tolist()
    assert found.suggested[WRONG].tolist() == (WRONG % 3).tolist()
    assert found.voted == closed == any("ridge" in str(note) for note in said)
    assert set(found.suggested.tolist()) == {0, 1, 2}, "no class that no image has"
    inside = np.isin(np.arange(120), WRONG)
    assert auroc(found.values[inside], found.values[~inside])[0] == 1
    if not closed:
        assert found.log_p is not None
        assert found.log_p.shape == (120, classes)
        assert np.allclose(np.exp(found.log_p).sum(1), 1)


def test_votes_are_shares_of_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.training_set.doubted.FITS", 0)
    some = examples()
    found, near = asked(some), nearest(some.features, 20)
    for i in (0, 4, 57):
        votes = [float((some.labels[near[i]] == k).mean()) for k in range(3)]
        assert found.p[i] == pytest.approx([votes[some.labels[i]], votes[found.suggested[i]]])
        assert found.disagree[i] == pytest.approx(1 - votes[some.labels[i]])


def test_small_classes_are_judged_by_the_network_alone() -> None:
    some = examples(120)
    some = replace(some, labels=np.arange(120))
    found = asked(some)
    assert np.isnan(found.disagree).all()
    assert list(found.said) == ["own margin", "combined"]


def test_parts_are_folders() -> None:
    assert part_of("train/cat/1.png") == part_of("cat/Train/1.png") == "train"
    assert part_of("cat/train.png") == part_of("a.png") == ""
    assert part_of("x/VAL/1.png") == "val"


def test_what_nothing_can_be_held_against() -> None:
    assert held_against(None) is None
    with pytest.raises(ValueError, match="nowhere"):
        held_against("nowhere/at/all")
