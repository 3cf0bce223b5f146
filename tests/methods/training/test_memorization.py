"""Memorization: what is changed of the data and what is not; the numbers of a plain training; the published shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.learning.initial import initialized
from pellucid.learning.meaningless import changed
from pellucid.learning.networks import MLP
from pellucid.learning.objective import Tensors, tensors_of
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Net, Preprocess
from tests.methods.training.test_gradient_flow import HOW, data

DIGITS = Preprocess(channels=1, crop=(8, 8))


def made(count: int, seed: int) -> Tensors:
    chance = torch.Generator().manual_seed(seed)
    inputs = torch.rand(count, 3, 4, 4, generator=chance, dtype=torch.float64)
    inputs[:, 1] = 5 + 2 * inputs[:, 1]
    return Tensors(inputs, torch.arange(count) % 5)


def test_labels_are_drawn_from_all_classes_and_no_others() -> None:
    given, test = made(4000, 0), made(50, 1)
    for kind, share in (("half random", 0.5), ("random labels", 1.0)):
        one, other = changed(given, test, kind, 3)
        assert one.inputs is given.inputs
        assert other is test
        kept = float((one.labels == given.labels).double().mean())
        assert kept == pytest.approx(1 - share * 0.8, abs=0.03)  # a fifth of those drawn are the true ones
        assert one.labels.bincount().tolist() == pytest.approx([800] * 5, abs=90)
        assert torch.equal(changed(given, test, kind, 3)[0].labels, one.labels)
        assert not torch.equal(changed(given, test, kind, 4)[0].labels, one.labels)


def test_pixels_move_by_one_permutation_in_all_images_and_channels() -> None:
    given, test = made(6, 0), made(4, 1)
    one, other = changed(given, test, "shuffled pixels", 0)
    first = given.inputs[0, 0].flatten()
    order = [int((first == value).nonzero()) for value in one.inputs[0, 0].flatten()]
    assert sorted(order) == list(range(16)) != order
    for before, after in ((given, one), (test, other)):
        assert torch.equal(after.inputs.flatten(-2), before.inputs.flatten(-2)[..., order])
        assert torch.equal(after.labels, before.labels)


def test_noise_has_the_mean_and_spread_of_each_channel() -> None:
    given, test = made(3000, 0), made(2000, 1)
    for one, before in zip(changed(given, test, "noise images", 0), (given, test), strict=True):
        assert torch.equal(one.labels, before.labels)
        assert one.inputs.mean((0, 2, 3)).tolist() == pytest.approx(given.inputs.mean((0, 2, 3)).tolist(), abs=0.02)
        assert one.inputs.std((0, 2, 3)).tolist() == pytest.approx(given.inputs.std((0, 2, 3)).tolist(), rel=0.02)


def test_numbers_are_those_of_the_training_itself() -> None:
    net = Net(MLP(64, 10, depth=1), "mlp", HOW)
    kinds = ("true labels", "random labels")
    found = pl.training.memorization(net, data(40), kinds=kinds, epochs=15, lr=0.02, samples=24, seed=2)
    every = tensors_of(net, data(40).on(net).shuffled(2))
    given, test = every[:24], every[24:40]
    for kind, row in zip(kinds, found["kinds"].rows, strict=True):
        labels = changed(given, test, kind, 2)[0].labels
        one = train(initialized(net.module, "he", 2), Tensors(given.inputs, labels),
                    Recipe(epochs=15, optimizer="adam", lr=0.02, seed=2), test=test)  # fmt: skip
        right = one.series("train_accuracy")
        fitted = int(np.argmax(right >= 0.99)) if right.max() >= 0.99 else None
        end = fitted or 15
        assert row["kind"] == kind
        assert row["epochs"] == fitted
        assert (row["train accuracy"], row["accuracy"]) == (right[end], one.epochs[end].test_accuracy)
        assert found["training"][kind].values.tolist() == right[: end + 1].tolist()
    assert found["kinds"]["epochs"][0] is not None


@pytest.mark.slow
def test_random_labels_are_fitted_but_slower_and_teach_nothing() -> None:
    """Reference, epochs to 99 % and test accuracy: true 21, .976; half random .652; random 120, .104; shuffled pixels
    21, .974; noise images 34, .119 (of larger batches: the ratios and the accuracies are what is compared).
    Here three of the five."""
    pytest.importorskip("sklearn")
    net = Net(torch.nn.Sequential(torch.nn.Flatten(), MLP(64, 10, depth=2, width=256)), "mlp", DIGITS)
    kinds = ("true labels", "shuffled pixels", "random labels")
    found = pl.training.memorization(net, digits(1796).data, kinds=kinds)
    rows = {row["kind"]: row for row in found["kinds"].rows}
    assert rows["random labels"]["slower"] > 4
    assert rows["shuffled pixels"]["slower"] < 1.5
    assert min(rows[kind]["accuracy"] for kind in ("true labels", "shuffled pixels")) > 0.95
    assert rows["random labels"]["accuracy"] < 0.14
    assert found.findings[0].startswith("this network can memorize")
