"""Labels made wrong: as many as are asked for, each to another class, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.training_set.folds import fold_of, out_of_fold
from pellucid.training_set.noise import noisy


@pytest.mark.parametrize("kind", ["symmetric", "pair"])
def test_so_many_labels_are_wrong_and_no_other(kind: str) -> None:
    labels = np.arange(200) % 5
    found, wrong = noisy(labels, 5, 0.1, kind, 3)
    assert wrong.sum() == 20
    assert np.array_equal(found != labels, wrong)
    again, same = noisy(labels, 5, 0.1, kind, 3)
    assert np.array_equal(found, again)
    assert np.array_equal(wrong, same)
    assert not np.array_equal(wrong, noisy(labels, 5, 0.1, kind, 4)[1])


def test_pairs_go_to_the_next_class_that_is_there() -> None:
    labels = np.repeat([1, 4, 7], 30)
    found, wrong = noisy(labels, 9, 0.3, "pair", 0)
    following = {1: 4, 4: 7, 7: 1}
    assert all(found[i] == following[labels[i]] for i in np.flatnonzero(wrong))
    other, wrong = noisy(labels, 9, 0.9, "symmetric", 0)
    assert set(other) == {1, 4, 7}
    counts = np.bincount(other[(labels == 1) & wrong], minlength=9)
    assert counts[1] == 0
    assert min(counts[4], counts[7]) > 5


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_no_share_is_refused(share: float) -> None:
    with pytest.raises(PellucidError, match="above 0 and below 1"):
        noisy(np.arange(4) % 2, 2, share, "pair", 0)


def test_one_class_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(PellucidError, match="two of 3 classes"):
        noisy(np.zeros(4, int), 3, 0.5, "pair", 0)
    with pytest.raises(PellucidError, match="symmetric"):
        noisy(np.arange(4) % 2, 2, 0.5, "symetric", 0)  # type: ignore[arg-type]


def test_folds_have_their_share_of_every_class() -> None:
    labels = np.repeat(np.arange(4), 25)
    found = fold_of(labels, 5, 1)
    assert all(np.bincount(found[labels == k]).tolist() == [5] * 5 for k in range(4))
    with pytest.raises(PellucidError, match="folds of 3 images"):
        fold_of(np.arange(3), 4, 0)


def test_out_of_fold_an_image_does_not_know_its_own_label() -> None:
    """A wrong label is nearly as improbable as any of that class, out of fold; in the fit it is not."""
    chance = np.random.default_rng(0)
    truth = np.arange(90) % 3
    features = np.eye(3)[truth] * 4 + chance.normal(size=(90, 3))
    labels = truth.copy()
    labels[5] = 0
    assert truth[5] == 2
    found = out_of_fold(features, labels, 3, 5, 0.01, 0)
    assert found.shape == (90, 3)
    assert found.sum(1) == pytest.approx(1)
    assert found[5].argmax() == 2
    kept = np.delete(np.arange(90), 5)
    assert (found[kept].argmax(1) == truth[kept]).mean() > 0.9
