"""How alike classes are, and how probable it is that a label is wrong, against plain float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pellucid.training_set.alike import alike, taken_for
from pellucid.training_set.chances import Chances, mixed
from pellucid.training_set.curvature import softmax
from tests.training_set.test_influence import digits, examples


def test_soft_labels_of_right_answers_by_hand() -> None:
    x, y, *_ = digits(200)
    some = examples(x, y)
    sums, counts = np.zeros((10, 10)), np.zeros(10)
    for z, label in zip(some.logits, y, strict=True):
        if int(z.argmax()) == label:
            p = np.exp(z / 4) / np.exp(z / 4).sum()
            sums[label] += p
            counts[label] += 1
    means = sums / counts[:, None]
    found = alike(some)
    assert np.allclose(found, (means + means.T) / 2, atol=1e-12)
    assert np.array_equal(found, found.T)
    assert not np.allclose(alike(some, 1.0), found)


def test_of_a_class_without_a_right_image_the_other_speaks() -> None:
    x, y, *_ = digits(200)
    some = examples(x, y)
    kept = some.of(np.flatnonzero(~np.isin(y, (3, 8))))
    found = alike(kept)
    p = softmax(kept.logits / 4)
    right = kept.answers == kept.labels
    assert np.allclose(found[3, 5], p[right & (kept.labels == 5)][:, 3].mean())
    assert found[3, 5] == found[5, 3]
    assert np.isnan(found[3, 8])
    unlabeled = replace(kept, labels=np.where(kept.labels == 5, -1, kept.labels))
    assert np.isnan(alike(unlabeled)[3, 5])


def test_shares_of_two_classes_that_are_taken_for_each_other() -> None:
    labels = np.array([0, 0, 0, 1, 2, -1])
    answers = np.array([0, 1, 1, 0, 2, 1])
    found = taken_for(labels, answers, 4)
    assert found[0, 1] == found[1, 0] == 3 / 4
    assert found[0, 2] == 0
    assert found[2, 2] == 1
    assert np.isnan(found[3, 3])
    assert found[0, 3] == 0  # of the images of both, which are those of 0


@pytest.mark.slow
def test_chances_are_bayes_rule() -> None:
    x, y, *_ = digits(300)
    wrong = y.copy()
    wrong[:9] = (wrong[:9] + 3) % 10
    some = examples(x, wrong)
    found = Chances.of(some)
    p, label = found.probabilities, wrong
    for i in (0, 5, 100, 250):
        right = (1 - found.noise) * p[i, label[i]]
        other = found.noise * sum(p[i, j] * found.mixed[j, label[i]] for j in range(10) if j != label[i])
        assert np.isclose(found.all[i], other / (right + other), rtol=1e-12)
    assert np.allclose(found.mixed.sum(1), 1)
    assert not np.diag(found.mixed).any()
    assert found.all[:9].min() > np.quantile(found.all[9:], 0.9)
    assert np.isclose(found.noise, found.all.mean(), atol=1e-3)
    assert 0.02 <= found.noise <= 0.1
    assert np.allclose(found.probabilities, softmax(found.sharp * found.logits))


@pytest.mark.slow
def test_sharpness_makes_the_labels_most_probable() -> None:
    x, y, *_ = digits(300)
    found = Chances.of(examples(x, y))

    def likelihood(sharp: float) -> float:
        p, noise = softmax(sharp * found.logits), 0.05
        right, other = p[np.arange(300), y], (p * found.mixed[:, y].T).sum(1)
        for _ in range(200):
            noise = float((noise * other / (noise * other + (1 - noise) * right)).mean())
        noise = max(noise, 0.01)
        return float(np.log((1 - noise) * right + noise * other).mean())

    assert found.sharp > 1  # the penalty makes fits shy
    assert likelihood(found.sharp) >= max(likelihood(found.sharp * one) for one in (0.5, 0.8, 1.25, 2)) - 1e-6


def test_labels_of_mislabeled_images_are_counted_and_alike_classes_share_the_rest() -> None:
    counts = np.array([[5, 3, 0], [1, 4, 0], [0, 0, 2]])  # three of label 0 count as 1, one of label 1 counts as 0
    similar = np.array([[0.5, 0.3, 0.1], [0.3, 0.5, np.nan], [0.1, np.nan, 0.5]])
    found = mixed(counts, similar)
    tiny = 1e-3 / 3
    prior = np.array([0.3 + tiny, 0.1 + tiny]) / (0.4 + 2 * tiny)
    assert np.allclose(found[0], np.array([0, 1 + prior[0], prior[1]]) / 2)
    assert np.allclose(found[1, 0], (3 + (0.3 + tiny) / (0.3 + 2 * tiny)) / 4)
    assert np.allclose(found.sum(1), 1)


def test_few_images_of_each_class_leave_it_to_the_network() -> None:
    x, y, *_ = digits(400)
    some = replace(examples(x, y).of(np.arange(20)), fitted=False)
    found = Chances.of(some)
    assert found.head is None
    assert np.array_equal(found.logits, some.logits)
    assert "fewer than 5 images" in str(found.notes[0])
