"""Between two networks: both ends are there, the barrier is the formula's, and one of order alone is taken away."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.matching import permuted
from pellucid.methods.landscape.between import barrier
from pellucid.net import Net
from pellucid.net.channels import groups_of
from tests.loss.networks import data, net_of
from tests.loss.test_matching import shuffled, tensors


def small() -> Net:
    """Trained a little, so that a barrier can lie somewhere."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = net_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 3)))
        every = data().on(net)
        x = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))]).double()
        optimizer = torch.optim.Adam(net.module.parameters(), 1e-2)
        for _ in range(60):
            optimizer.zero_grad()
            scores = net.module(net.preprocess.normalize(x))
            nn.functional.cross_entropy(scores, torch.from_numpy(every.labels)).backward()
            optimizer.step()
        net.module.zero_grad()
    return net


def test_a_barrier_of_order_alone_is_found_and_taken_away() -> None:
    net = small()
    groups = groups_of(net, torch.rand(2, 3, 8, 8))
    other = net.with_weights(permuted(tensors(net), groups, shuffled(groups, 3)))
    found = pl.landscape.between([net, other], data(), points=9)
    plainly, matched = found.meta.found["barrier"]
    assert plainly > 1e-3
    assert matched == pytest.approx(0, abs=1e-9), "the same network in another order"
    assert all(check.passed for check in found.checks)
    ends = [one.name for one in found.checks if one.name.startswith("value")]
    assert ends == ["value", f"value at 2 · {net.name}"]
    line = found.lines[0]
    assert {0.0, 1.0} <= set(line.points)
    middle = {key: (one + tensors(other)[key]) / 2 for key, one in tensors(net).items()}
    every = data().on(net)
    x = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))])
    loss = nn.functional.cross_entropy(net.with_weights(middle).run(x).output, torch.from_numpy(every.labels))
    assert line.values[np.abs(line.points - 0.5).argmin()] == pytest.approx(float(loss), rel=1e-10)


def test_the_barrier_is_the_height_above_the_chord() -> None:
    ts = np.array([-0.5, 0.0, 0.5, 1.0, 1.5])
    assert barrier(ts, np.array([9.0, 1.0, 4.0, 3.0, 9.0])) == pytest.approx(2.0)
    assert barrier(ts, np.array([np.nan, 1.0, 2.0, 3.0, np.nan])) == pytest.approx(0.0)
    assert barrier(ts, np.array([0.0, 1.0, np.inf, 3.0, 0.0])) == np.inf


def test_networks_that_have_nothing_in_common_are_refused_by_the_first_tensor() -> None:
    one = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    other = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.Linear(5, 3)))
    with pytest.raises(PellucidError, match=r"'1.weight' is \(3, 192\) in one and \(5, 192\)"):
        pl.landscape.between([one, other], data())
    with pytest.raises(PellucidError, match="between takes two networks, these are 1: net; name a second one after it"):
        pl.landscape.between(one, data())
    with pytest.raises(PellucidError, match=r"these are 3: .*; name two of them"):
        pl.landscape.between([one, one, one], data())


def test_where_variances_fall_below_zero_neither_loss_nor_accuracy_is_a_number() -> None:
    one, other = small(), small()
    other.module[1].running_var.mul_(9)
    found = pl.landscape.between([one, other], data(), points=9, matching=False)
    loss, accuracy = found.lines
    below = loss.points < -1 / 8  # (1 − t) + 9 t < 0
    assert below.sum() == 2
    assert np.array_equal(np.isnan(loss.values), below)
    assert np.array_equal(np.isnan(accuracy.values), below)
    assert found.meta.found["undefined"] == 4
    assert pl.landscape.between([one, other], data(), points=9, norms="frozen").meta.found["undefined"] == 0
