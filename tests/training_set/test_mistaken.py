"""Causes of a mistake: planted ones are found, and every figure is what it says, in plain float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pellucid.training_set.causes import CAUSES, explained
from pellucid.training_set.curvature import softmax
from pellucid.training_set.mistaken import DOUBTED, Known, Space
from pellucid.training_set.strange import Outside, Usual
from tests.training_set.test_influence import PENALTY, asked, digits, examples

NEW = np.full(20, -1)


@pytest.fixture(scope="module")
def known() -> Known:
    x, y, *_ = digits(400)
    return Known.of(examples(x, y), "pixels", x, 0)


def test_distances_are_means_to_the_ten_nearest_others() -> None:
    x, *_ = digits(60)
    space = Space("pixels", x)
    apart = np.sqrt(((x[:, None].astype(float) - x[None]) ** 2).sum(2))
    mean = np.sort(apart, 1)[:, 1:11].mean(1)
    assert np.allclose(space.distance(x, np.arange(60)), mean, atol=1e-5)
    assert np.allclose(space.distance(x[:3], np.full(3, -1)), np.sort(apart[:3], 1)[:, :10].mean(1), atol=1e-5)
    wide = x.astype(float) - x.mean(0, dtype=float)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    cosines = np.sort(wide @ wide.T, 1)[:, ::-1]
    assert np.allclose(space.angle(x, np.arange(60)), 1 - cosines[:, 1:11].mean(1), atol=1e-5)


def test_whatever_lies_farthest_counts_as_often_as_it_does_for_training_images() -> None:
    usual = Usual(("one", "other"), np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 1.0], [3.0, 0.0]]))
    assert np.allclose(usual.shares(np.array([[0.5, 9.0]])), [[1 / 5, 4 / 5]])
    # the largest shares of the four are 3/5, 2/5, 2/5, 3/5
    share, which = usual.together(np.array([[0.5, 9.0], [2.5, 0.0], [1.5, 0.5]]))
    assert share.tolist() == [4 / 5, 2 / 5, 0]
    assert which.tolist() == [1, 0, 0]


def test_mixtures_of_classes_are_a_plane_and_what_lies_beside_it_is_outside() -> None:
    chance = np.random.default_rng(0)
    means, labels = chance.normal(size=(3, 6)), np.arange(60) % 3
    x = (means[labels] + 0.1 * chance.normal(size=(60, 6))).astype(np.float32)
    found = Outside.of(x, labels)
    assert found is not None

    def slow(rows: np.ndarray, asked: np.ndarray) -> float:
        mean = np.stack([x[rows][labels[rows] == k].astype(float).mean(0) for k in range(3)])
        sides = (mean[1:] - mean[0]).T
        apart = asked.astype(float) - mean[0]
        return float(np.linalg.norm(apart - sides @ np.linalg.lstsq(sides, apart, rcond=None)[0]))

    new = np.array([means.mean(0), means[0] + 2 * (means[1] - means[2]), chance.normal(size=6)]).astype(np.float32)
    assert np.allclose(found.distances(new, np.full(3, -1)), [slow(np.arange(60), one) for one in new], atol=1e-6)
    others = np.flatnonzero(found.fold != found.fold[7])
    assert np.isclose(found.distances(x[[7]], np.array([7]))[0], slow(others, x[7]), atol=1e-6)
    assert Outside.of(x[:, :2], labels) is None  # a plane through three means is all of two dimensions


def test_an_image_of_the_index_knows_itself(known: Known) -> None:
    x, *_ = digits(400)
    some = np.array([3, 77])
    about = asked(known.examples, x[some])
    assert known.own(about, x[some]).tolist() == [3, 77]
    assert known.own(about, x[some] + 0.1).tolist() == [-1, -1]
    near = known.spaces[0].near(x[some], some, 5)[1]
    assert 3 not in near[0]
    assert 77 not in near[1]


def test_figures_by_hand(known: Known) -> None:
    _, y, tx, ty = digits(400)
    given = (ty + 1) % 10
    about = asked(known.examples, tx)
    found = known.judged(about, tx, NEW, given, PENALTY)
    assert np.array_equal(found.answers, about.logits.argmax(1))
    assert found.right.tolist() == (found.answers == given).tolist()
    i = int(np.flatnonzero(~found.right)[0])
    near = np.argsort(found.scores[i], kind="stable")[:20]
    speakers = {int(k) for k in (*near, *found.near[i, 0]) if y[k] == found.rivals[i]}
    assert found.speakers[i] == len(speakers)
    assert found.doubted[i] == sum(found.doubts[i, k] >= DOUBTED for k in speakers)
    if not found.doubted[i]:
        assert np.allclose(found.after[i], softmax(about.logits[[i]])[0])
    answers = known.chances.logits.argmax(1)
    one, other = int(given[i]), int(found.rivals[i])
    both = np.isin(y, (one, other))
    taken = ((y == one) & (answers == other)) | ((y == other) & (answers == one))
    assert np.isclose(known.taken[one, other], taken[both].mean())
    like = known.similar[one]
    assert found.rank[i] == 1 + sum(like[k] > like[other] for k in range(10) if k != one)


def test_images_around_do_not_vouch_for_one_another(known: Known) -> None:
    x, y, tx, _ = digits(400)
    given = np.array([int(known.examples.head.scores(tx[:1]).argmax() + 1) % 10])
    found = known.judged(asked(known.examples, tx[:1]), tx[:1], NEW[:1], given, PENALTY)
    some = known.examples
    wide = np.c_[x.astype(float), np.ones(400)]
    p, gone, sizes = some.probabilities, np.zeros(400, bool), np.bincount(y)
    near = known.spaces[0].near(tx[:1], NEW[:1], 40)[1][0]
    for k in (*near, *np.argsort(found.scores[0], kind="stable")[:20]):
        gone[k] |= 2 * (gone & (y == y[k])).sum() + 2 <= sizes[y[k]]  # no more than half of a class
    assert 20 <= gone.sum() <= 60
    curved, slope = PENALTY * np.eye(650), np.zeros(650)
    for i in range(400):
        if gone[i]:
            slope += np.kron(p[i] - np.eye(10)[y[i]], wide[i]) / 400
        else:
            curved += np.kron(np.diag(p[i]) - np.outer(p[i], p[i]), np.outer(wide[i], wide[i])) / 400
    step = np.linalg.solve(curved, slope).reshape(10, 65)
    seen = softmax(known.chances.sharp * (some.logits + wide @ step.T))
    assert np.allclose(found.doubts[0, gone], known.chances.wrong(seen, y)[gone], atol=1e-4)
    assert np.array_equal(found.doubts[0, ~gone], known.doubts[~gone])


def test_each_image_is_judged_alone(known: Known) -> None:
    *_, tx, ty = digits(400)
    given = (ty + 1) % 10
    both = known.judged(asked(known.examples, tx[:2]), tx[:2], NEW[:2], given[:2], PENALTY)
    for i in range(2):
        one = known.judged(asked(known.examples, tx[[i]]), tx[[i]], NEW[:1], given[[i]], PENALTY)
        assert explained(known, one, 0) == explained(known, both, i)


def test_a_wrong_label_and_a_stranger_are_told(known: Known) -> None:
    *_, tx, ty = digits(400)
    right = np.flatnonzero(known.examples.head.scores(tx).argmax(1) == ty)
    given = (ty[right] + 3) % 10
    found = known.judged(asked(known.examples, tx[right]), tx[right], NEW[: len(right)], given, PENALTY)
    told = [explained(known, found, i).verdict for i in range(len(right))]
    assert np.mean([one == CAUSES[1] for one in told]) >= 0.8  # seventeen of them
    noise = np.random.default_rng(0).random((10, 64)).astype(np.float32)
    found = known.judged(asked(known.examples, noise), noise, NEW[:10], np.zeros(10, np.int64), PENALTY)
    told = [explained(known, found, i).verdict for i in np.flatnonzero(~found.right)]
    assert set(told) == {CAUSES[0]}


def test_no_label_of_an_image_like_no_class_is_called_wrong(known: Known) -> None:
    *_, tx, ty = digits(400)
    right = np.flatnonzero(known.examples.head.scores(tx).argmax(1) == ty)
    given = (ty[right] + 3) % 10
    found = known.judged(asked(known.examples, tx[right]), tx[right], NEW[: len(right)], given, PENALTY)
    i = int(found.wrong.argmax())
    assert explained(known, found, i).verdict == CAUSES[1]
    out = found.out.copy()
    out[i] = 0.98
    assert explained(known, replace(found, out=out), i).verdict == CAUSES[4]
    unlike = found.unlike.copy()
    unlike[i] = 0.96
    told = explained(known, replace(found, unlike=unlike), i)
    assert told.verdict == CAUSES[4]
    assert told.holds == (False, False, False, False, True)
    assert "96.0% of the training images are more like their neighbors" in told.sentence
    assert "not to be trusted" in told.said[1]
