"""Experiments: trainings that are done once, and what is said where nothing was learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.learning import train as training
from pellucid.learning.experiment import Experiment
from pellucid.learning.networks import MLP
from pellucid.learning.train import Recipe, train
from pellucid.net import Net
from tests.methods.training.test_gradient_flow import HOW, data

KINDS = ("true labels", "random labels")


def net() -> Net:
    return Net(MLP(64, 10, depth=1, width=16), "mlp", HOW)


def test_a_training_that_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, epochs = net(), []
    whole = pl.training.memorization(given, data(40), kinds=KINDS, epochs=2, samples=24)
    once = training._epoch
    monkeypatch.setattr(training, "_epoch", lambda *rest: epochs.append(1) or once(*rest))
    with pl.resumable(tmp_path):
        pl.training.memorization(given, data(40), kinds=KINDS[:1], epochs=2, samples=24)
        assert len(epochs) == 2
        again = pl.training.memorization(given, data(40), kinds=KINDS, epochs=2, samples=24)
        assert len(epochs) == 4  # those of the other kind
        for how in ({"epochs": 1}, {"lr": 0.01}, {"seed": 1}, {"samples": 20}):
            before = len(epochs)
            pl.training.memorization(given, data(40), **{"kinds": KINDS[:1], "epochs": 2, "samples": 24, **how})
            assert len(epochs) > before, how
    for kind in KINDS:
        assert np.array_equal(whole["training"][kind].values, again["training"][kind].values)


def test_images_are_held_out_and_the_start_is_the_seed_s() -> None:
    experiment = Experiment.of(net(), data(40), 24, 0)
    assert (len(experiment.given), len(experiment.test)) == (24, 16)
    rows = {tuple(one.flatten().tolist()) for one in experiment.given.inputs}
    assert not rows & {tuple(one.flatten().tolist()) for one in experiment.test.inputs}
    one, same, other = (experiment.fresh(seed).state_dict() for seed in (0, 0, 1))
    assert all((one[name] == same[name]).all() for name in one)
    assert not (one["head.weight"] == other["head.weight"]).any()


def test_chance_is_said_to_be_chance() -> None:
    experiment = Experiment.of(net(), data(40), 24, 0)
    assert "chance is" in experiment.unlearned(experiment.chance)
    assert not experiment.unlearned(0.99)
    found = pl.training.lottery_tickets(net(), data(40), rounds=1, epochs=1, repeats=1, samples=24)
    assert ("learned nothing" in found.findings[0]) == bool(experiment.unlearned(found["tickets"]["accuracy"][0]))


def test_training_ends_with_the_accuracy_that_is_asked_for() -> None:
    experiment = Experiment.of(net(), data(40), 24, 0)
    recipe = Recipe(epochs=60, optimizer="adam", lr=0.02, until=0.9)
    found = train(experiment.fresh(0), experiment.given, recipe)
    right = found.series("train_accuracy")
    assert right[-1] >= 0.9
    assert (right[:-1] < 0.9).all()
    assert "right after epoch" in found.ended
    with pytest.raises(pl.PellucidError, match="until"):
        Recipe(until=1.5)
