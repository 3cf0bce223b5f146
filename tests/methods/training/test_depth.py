"""Deeper should not hurt: what the comparison reports is what a plain training gives; the study of the reference."""

from __future__ import annotations

import math

import pytest

import pellucid as pl
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP
from pellucid.learning.objective import Tensors, tensors_of
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, evaluated, train
from pellucid.net import Net, Preprocess
from tests.methods.training.test_gradient_flow import HOW, data

DIGITS = Preprocess(channels=1, crop=(8, 8))


def test_numbers_are_those_of_the_training_itself() -> None:
    """The best of two learning rates by the held-out images, which are none of those trained on."""
    net = Net(MLP(64, 10, depth=1), "mlp", HOW)
    found = pl.training.depth(net, data(40), depths=(1, 3), variants=("norm",), rates=(0.01, 0.1), epochs=2, samples=24)
    every = tensors_of(net, data(40).on(net).shuffled(0))
    given, test = every[:24], every[24:40]
    module = initialized(MLP(64, 10, depth=3, norm=True), "he", 0)
    wanted = []
    for lr in (0.01, 0.1):
        trained = train(initialized(module, "he", 0), given, Recipe(epochs=2, lr=lr))
        wanted.append((evaluated(trained.module, test)[1], lr, evaluated(trained.module, given)[0]))
    accuracy, lr, loss = max(wanted, key=lambda one: one[0])
    row = found["trained"].rows[1]
    assert (row["accuracy"], row["lr"]) == (accuracy, lr)
    assert row["train loss"] == pytest.approx(loss, rel=1e-6)
    assert row["± accuracy"] == pytest.approx(math.sqrt(accuracy * (1 - accuracy) / 16))
    own = evaluated(net.module, Tensors(test.inputs, test.labels))[1]
    assert found.meta.found["own accuracy"] == own
    assert found["accuracy over depth"]["mlp"].values.tolist() == [own, own]


@pytest.mark.slow
def test_depth_hurts_without_skips_and_batch_norm_helps() -> None:
    """Reference, accuracy at 60 layers: small .106, He .099, He + BN .161, He + residual .790, BN + residual .928;
    at 10 layers He .784, He + BN .938. Here two of the five are asked at 60, at one rate."""
    pytest.importorskip("sklearn")
    net = Net(MLP(64, 10, depth=1), "mlp", DIGITS)
    task = digits(1796).data
    rates = (0.03,)
    deep = pl.training.depth(net, task, depths=(60,), variants=("norm", "norm+residual"), rates=rates)["trained"]
    plain, residual = deep["accuracy"]
    assert residual > 0.8
    assert plain < 0.5
    shallow = pl.training.depth(net, task, depths=(10,), variants=("small", "he", "norm"), rates=rates)["trained"]
    small, he, norm = shallow["accuracy"]
    assert norm > he > 0.6
    assert small < 0.2
