"""Similar classes and rare subgroups: against loops over images, and what was planted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pellucid.notes import collected
from pellucid.training_set.audited import Audited, Pictures
from pellucid.training_set.examples import Examples
from pellucid.training_set.likeness import likeness
from pellucid.training_set.sections import similar
from pellucid.training_set.subgroups import apartness, subgroups

CHANCE = np.random.default_rng(2)
LABELS = np.repeat([0, 1, 3, 4], 25)
LOGITS = CHANCE.normal(0, 1.5, (100, 6)) + 2.5 * np.eye(6)[LABELS]
LOGITS[LABELS == 3, 4] += 2.0
LOGITS[LABELS == 4, 3] += 2.0
FEATURES = CHANCE.normal(0, 1, (100, 9)).astype(np.float32)


def test_likeness_is_counted_image_by_image() -> None:
    found = likeness(LOGITS, FEATURES, LABELS)
    assert found.classes.tolist() == [0, 1, 3, 4]
    confusions, soft, right = np.zeros((4, 4), int), np.zeros((4, 4)), np.zeros(4)
    place = {0: 0, 1: 1, 3: 2, 4: 3}
    for logits, label in zip(LOGITS, LABELS, strict=True):
        answer, own = int(logits.argmax()), place[int(label)]
        if answer in place:
            confusions[own, place[answer]] += 1
        if answer == label:
            p = np.exp(logits[[0, 1, 3, 4]] / 4)
            soft[own] += p / p.sum()
            right[own] += 1
    soft /= right[:, None]
    both = confusions + confusions.T
    off = ~np.eye(4, dtype=bool)
    assert np.array_equal(found.confusions[off], both[off])
    assert np.allclose(found.soft[off], ((soft + soft.T) / 2)[off], atol=1e-12)
    means = np.stack([FEATURES[k == LABELS].astype(float).mean(0) for k in found.classes])
    means -= means.mean(0)
    wanted = means @ means.T / np.outer(*[np.linalg.norm(means, axis=1)] * 2)
    assert np.allclose(found.means, wanted, atol=1e-6)


def test_the_most_alike_come_first_and_lie_together() -> None:
    found = likeness(LOGITS, FEATURES, LABELS)
    assert found.pairs[0].tolist() == [2, 3]
    assert len(found.pairs) == 6
    tree, order = found.merges(np.arange(4))
    assert set(tree[0, :2].astype(int)) == {2, 3}
    assert abs(int(np.flatnonzero(order == 2)[0]) - int(np.flatnonzero(order == 3)[0])) == 1
    assert found.merges(np.array([1]))[0].shape == (0, 4)


def test_a_class_that_is_never_right_has_no_soft_labels() -> None:
    logits = LOGITS.copy()
    logits[LABELS == 0, 1] += 50
    found = likeness(logits, FEATURES, LABELS)
    assert np.isfinite(found.soft[0, 1]), "the other direction is known"
    logits[LABELS == 1, 5] += 50
    assert np.isnan(likeness(logits, FEATURES, LABELS).soft[0, 1])


def test_pairs_that_count_are_told_before_those_that_are_only_alike() -> None:
    """Classes 0 and 1 are most alike by soft labels, 2 and 3 are taken for one another; one finding is asked for."""
    labels = np.repeat(np.arange(4), 10)
    logits = 6 * np.eye(4)[labels]
    logits[labels == 0, 1] = logits[labels == 1, 0] = 5.5
    logits[0, 1] = 7  # once taken for the other, which is no finding
    logits[20:25, 3] = 9
    names = tuple(map(str, range(40)))
    some = Examples(
        CHANCE.random((40, 3)).astype(np.float32), logits, labels, np.arange(40), names, tuple("abcd"), np.eye(4, 3),
        np.zeros(4), False,
    )  # fmt: skip
    of = Audited(None, some, SimpleNamespace(labels=labels, names=names), None, 0)  # type: ignore[arg-type]
    section, *_ = similar(of, Pictures(of), 1)
    assert section.looked.found == 1
    assert [(one.title, one.found) for one in section.items] == [("c and d", True)]
    assert section.table is not None
    assert section.table["class"][0] == "a"  # the table goes by soft labels, and marks what counts
    assert [section.table["class"][k] for k in section.table.highlighted] == ["c"]


def test_of_a_large_class_some_images_are_searched_and_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = planted()
    monkeypatch.setattr("pellucid.training_set.subgroups._MOST", 150)
    with collected() as notes:
        found = subgroups(features, labels, np.ones(400, bool))
    assert all(one.rest + len(one.members) == 150 for one in found)
    assert any("150 of the 200 images" in note.text for note in notes)


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Two classes of 200; six images of the first lie together, elsewhere."""
    chance = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    features = chance.normal(0, 0.5, (400, 24)) + 4 * np.eye(24)[labels]
    features[10:16] = chance.normal(0, 0.3, (6, 24)) + 6 * np.eye(24)[20]
    return features.astype(np.float32), labels


def test_a_planted_subgroup_is_found_and_nothing_else() -> None:
    features, labels = planted()
    right = np.ones(400, bool)
    right[[10, 11, 12, 13, 100]] = False
    found = subgroups(features, labels, right)
    assert sorted(found[0].members) == list(range(10, 16))
    assert (found[0].of_class, found[0].share, found[0].right, found[0].rest_right) == (0, 6 / 200, 2, 193)
    assert found[0].gap == pytest.approx(193 / 194 - 2 / 6)
    assert found[0].interval[1] < 193 / 194
    assert len(found) == 1
    assert subgroups(features, np.arange(400) % 20, right) == (), "classes of 20 are too small"


def test_what_is_right_decides_no_members() -> None:
    features, labels = planted()
    first, second = (subgroups(features, labels, np.full(400, one)) for one in (True, False))
    assert [one.members for one in first] == [one.members for one in second]


def test_apartness_is_that_of_its_definition() -> None:
    points = np.random.default_rng(1).random((30, 2))
    far = np.linalg.norm(points[:, None] - points[None], axis=2)
    inside = points[:, 0] > 0.7
    each = []
    for i in np.flatnonzero(inside):
        own = [far[i, j] for j in np.flatnonzero(inside) if j != i]
        rest = sorted(far[i, j] for j in np.flatnonzero(~inside))[: inside.sum()]
        each.append((np.mean(rest) - np.mean(own)) / max(np.mean(rest), np.mean(own)))
    assert apartness(far, inside)[0] == pytest.approx(np.mean(each))
