"""What mending is worth: the same draw for all labels, and intervals by the book."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pellucid.data import Data
from pellucid.decisions import Decision, Decisions
from pellucid.errors import PellucidError
from pellucid.learning.train import Recipe
from pellucid.training_set.curvature import softmax
from pellucid.training_set.mending import Ground, student_interval, trained_again
from pellucid.training_set.softmax import fitted
from tests.test_every_method import tiny


def colored(n: int = 36, wrong: int = 6) -> tuple[Data, np.ndarray, np.ndarray]:
    """Red, green and blue images with the classes of the tiny network, the first few of another class."""
    chance, truth = np.random.default_rng(0), np.arange(n) % 3
    pixels = chance.random((n, 3, 8, 8)) * 0.4
    pixels[np.arange(n), truth] += 0.5
    labels = np.where(np.arange(n) < wrong, (truth + 1) % 3, truth)
    return Data.of((pixels.repeat(4, 2).repeat(4, 3), labels)), truth, labels


def about(data: Data, labels: np.ndarray, truth: np.ndarray) -> Decisions:
    names = ("cat", "dog", "cow")
    rows = [Decision(data.name(i), names[labels[i]], "accept", names[truth[i]]) for i in range(5)]
    return Decisions((*rows, Decision(data.name(5), names[labels[5]], "remove")))


def test_a_last_layer_is_fitted_on_what_was_decided() -> None:
    data, truth, labels = colored()
    ground = Ground.of(tiny(), data, about(data, labels, truth), None, "head")
    assert np.array_equal(np.delete(ground.mended.labels, 5), np.delete(truth, 5))
    assert ground.mended.labels[5] == -1
    assert np.array_equal(ground.given, labels)
    found = trained_again(ground, Recipe(), 3)
    from pellucid.rng import generator

    order = generator(3, "held out").permutation(36)
    inside, outside = order[:27], order[27:]
    kept, judged = inside[ground.mended.labels[inside] >= 0], outside[ground.mended.labels[outside] >= 0]
    for kind, rows, said in (("as given", inside, labels), ("mended", kept, ground.mended.labels)):
        weight, bias = fitted(ground.features[np.sort(rows)], said[np.sort(rows)], 3)
        p = softmax(ground.features[judged].astype(np.float64) @ weight.T + bias)
        assert found[kind] == (pytest.approx((p.argmax(1) == ground.mended.labels[judged]).mean()), len(rows))
    assert found["as many removed at random"][1] == len(kept)


def test_a_network_is_trained_anew_and_the_given_one_stays() -> None:
    data, truth, labels = colored()
    net = tiny()
    before = net.weights
    ground = Ground.of(net, data, about(data, labels, truth), data, "network")
    one, two = (trained_again(ground, Recipe(1, optimizer="adam", lr=1e-3), 0) for _ in range(2))
    assert one == two
    assert one["as given"][1] == 27
    assert net.weights == before


def test_the_interval_is_that_of_the_t_distribution() -> None:
    values = np.array([0.1, 0.3, 0.2, 0.5])
    wanted = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert student_interval(values) == pytest.approx(wanted)
    assert student_interval(np.full(3, 0.25)) == (0.25, 0.25)
    assert np.isnan(student_interval(values[:1])).all()


def test_decisions_about_other_labels_and_too_few_images_are_refused() -> None:
    data, _, _ = colored()
    with pytest.raises(PellucidError, match="in the data its class is"):
        Ground.of(tiny(), data, Decisions((Decision(data.name(0), "cat", "remove"),)), None, "head")
    few, truth, labels = colored(6)
    with pytest.raises(PellucidError, match="8 at least"):
        Ground.of(tiny(), few, about(few, labels, truth), None, "head")
