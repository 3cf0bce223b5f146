"""A curve between two networks: it ends in both, the loss on it is the formula's, and lower than on the line."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Net
from tests.loss.networks import Everything, data, net_of


@functools.cache
def trained(seed: int) -> Net:
    module = seeded(lambda: CNN(1, 10, widths=(6, 12), dense=32), seed)
    train(module, digits(300).train, Recipe(epochs=10, batch=32, optimizer="adam", lr=1e-2, seed=seed))
    seen = pl.net.Preprocess(resize=8, crop=(8, 8), channels=1)
    return Net(module, f"seed {seed}", seen, scores="logits")


@pytest.mark.slow
def test_a_curve_goes_around_the_barrier_and_its_ends_are_the_networks() -> None:
    pair, task = [trained(0), trained(1)], digits(300)
    before = [{key: one.clone() for key, one in net.module.state_dict().items()} for net in pair]
    found = pl.landscape.connect(pair, task.data, epochs=20, points=5, test=task.test_data.part(0, 200))
    curve, straight = found.meta.found["train_highest"]
    assert curve < 0.4 * straight
    length, distance = found.meta.found["length"]
    assert distance < length < 3 * distance
    assert len([one for one in found.checks if one.name.startswith("value at")]) == 2
    assert all(check.passed for check in found.checks)
    bent, line = found["bezier, train loss"], found["straight, train loss"]
    assert (bent.points[0], bent.points[-1]) == (0, 1)
    assert bent.values[[0, -1]] == pytest.approx(line.values[[0, -1]], rel=1e-5)
    assert found["bezier, test loss"].values.max() < found["straight, test loss"].values.max()
    middle = {key: (one + dict(pair[1].module.named_parameters())[key]) / 2
              for key, one in pair[0].module.named_parameters()}  # fmt: skip
    with torch.no_grad():
        scores = pair[0].with_weights(middle).run(task.train.inputs).output
    loss = float(nn.functional.cross_entropy(scores.double(), task.train.labels))
    assert line.values[2] == pytest.approx(loss, rel=1e-5)
    for net, state in zip(pair, before, strict=True):
        assert all(torch.equal(one, state[key]) for key, one in net.module.state_dict().items())
    assert "train loss is" in found.findings[0]
    assert "above the worse of seed 0 and seed 1" in found.findings[0]


@pytest.mark.slow
def test_any_network_is_connected_with_norms_dropout_and_computed_weights() -> None:
    pair = [net_of(Everything()), net_of(Everything())]
    with torch.no_grad():
        pair[1].module.head.bias += 2
    one = pl.landscape.connect(pair, data(), epochs=2, points=3, curve="polychain")
    again = pl.landscape.connect(pair, data(), epochs=2, points=3, curve="polychain")
    assert all(np.array_equal(a.values, b.values) for a, b in zip(one.lines, again.lines, strict=True))
    other = pl.landscape.connect(pair, data(), epochs=2, points=3, curve="polychain", seed=1)
    assert one.lines[0].values[1] != other.lines[0].values[1]
    assert one.meta.found["norms"] == "reestimated"
    assert one.lines[0].values[1] < one["straight, loss"].values[1]


@pytest.mark.slow
def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, task = [trained(0), trained(1)], digits(300)
    whole = pl.landscape.connect(pair, task.data, epochs=3, points=3)
    calls, forward = 0, CNN.forward

    def stopping(self: CNN, x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 38:
            raise KeyboardInterrupt
        return forward(self, x)

    monkeypatch.setattr(CNN, "forward", stopping)
    with pl.resumable(tmp_path), pytest.raises(KeyboardInterrupt):
        pl.landscape.connect(pair, task.data, epochs=3, points=3)
    with pl.resumable(tmp_path):
        again = pl.landscape.connect(pair, task.data, epochs=3, points=3)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(whole.lines, again.lines, strict=True))


def test_what_is_no_pair_is_refused() -> None:
    one = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    other = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.Linear(5, 3)))
    with pytest.raises(PellucidError, match="connect takes two networks, these are 1: net; name a second one after it"):
        pl.landscape.connect(one, data())
    with pytest.raises(PellucidError, match="have no weights in common places"):
        pl.landscape.connect([one, other], data())
