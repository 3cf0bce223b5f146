"""Sharpness: what is called free of scale stays when filters are rescaled, what is not called so changes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.loss.labeled import labeled
from pellucid.loss.products import Curved
from pellucid.loss.weights import plain
from tests.loss.networks import Everything, data, net_of
from tests.loss.test_products import dense


@pytest.mark.slow
def test_what_is_free_of_scale_stays_when_filters_are_rescaled() -> None:
    net = plain(net_of(Everything(smooth=True)))
    module = copy.deepcopy(net.module)
    with torch.no_grad():  # the network computes the same
        module.depthwise.weight *= 0.1
        module.second.running_mean *= 0.1
        module.second.running_var *= 0.01
        module.second.eps *= 0.01
    tables = [
        pl.landscape.sharpness(one, data(), directions=2, steps=2, products=40)
        for one in (net, net.with_module(module))
    ]
    alike = [one == pytest.approx(other, rel=1e-5) for one, other in zip(*(t["value"] for t in tables), strict=True)]
    assert alike == list(tables[0]["scale_free"])
    assert alike.count(True) == 3


@pytest.mark.slow
def test_the_values_are_those_of_the_definitions() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    found = pl.landscape.sharpness(net, data(), products=60, directions=3, steps=8, test=data(9, seed=4))
    values = dict(zip(found["measure"], found["value"], strict=True))
    whole = dense(Curved.of(net, labeled(net, data().on(net))))
    assert values["largest eigenvalue"] == pytest.approx(float(torch.linalg.eigvalsh(whole)[-1]), rel=1e-5)
    error = dict(zip(found["measure"], found["error"], strict=True))["trace / weights"]
    assert values["trace / weights"] == pytest.approx(float(whole.trace()) / len(whole), abs=6 * error)
    # the loss is convex: the worst place of a box is at least what its gradient promises
    curved = Curved.of(net, labeled(net, data().on(net)))
    promised = sum(
        float((1e-3 * (one.abs() + 1) * curved.gradient()[name].abs()).sum()) for name, one in curved.at.items()
    )
    loss = found.meta.found["loss"]
    assert values["worst in a box, ε = 0.001"] >= 100 * promised / (1 + loss) * (1 - 1e-9)
    assert values["adaptive worst, ρ = 0.05"] > 0
    assert np.isfinite(list(values.values())).all()
    assert "loss on other images − loss" in values


def test_the_residual_of_the_largest_eigenvalue_is_no_smaller_than_rounding() -> None:
    """As in curvature and convexity: of float32 weights no eigenvalue is known to 80 roundings of it."""
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), double=False)
    found = pl.landscape.sharpness(net, data(), products=60, directions=2, steps=1)
    largest = dict(zip(found["measure"], zip(found["value"], found["error"], strict=True), strict=True))
    value, residual = largest["largest eigenvalue"]
    exact = float(torch.linalg.eigvalsh(dense(Curved.of(net, labeled(net, data().on(net)))).double())[-1])
    assert residual >= 80 * torch.finfo(torch.float32).eps * value
    assert abs(value - exact) <= residual
