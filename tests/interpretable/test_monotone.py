"""Monotonic and non-negative layers: bounds hold, violations are found where there are some, what ReLU cannot do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from pellucid.errors import PellucidError, Refused
from pellucid.interpretable import (
    Mirrored,
    MonotoneLinear,
    NonNegativeLinear,
    bounded,
    monotone,
    negative_share,
    sampled_violations,
)
from pellucid.learning.networks import seeded
from pellucid.learning.train import Recipe

RISING = torch.tensor([True, False, True])


def network(mirrored: bool = True) -> nn.Sequential:
    return seeded(lambda: monotone(3, 2, RISING, hidden=8, mirrored=mirrored), 0).double()


def boxes(many: int, inputs: int) -> tuple[Tensor, Tensor]:
    chance = np.random.default_rng(1)
    low, width = chance.normal(size=(many, inputs)), chance.random((many, inputs))
    return torch.from_numpy(low), torch.from_numpy(low + width)


@pytest.mark.parametrize("mirrored", [True, False])
def test_no_violation_by_bounds_or_by_samples(mirrored: bool) -> None:
    module = network(mirrored)
    low, high = boxes(20, 3)
    found = bounded(module, low, high)
    assert found.violations(RISING) == 0
    assert found.violations(~RISING) > 0
    edge = torch.full((3,), 3.0, dtype=torch.float64)
    assert sampled_violations(module, -edge, edge, RISING, 10_000) == 0
    assert sampled_violations(module, -edge, edge, ~RISING, 1000) > 0


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Softplus, Mirrored, nn.Identity])
def test_bounds_hold_outputs_and_derivatives_and_are_those_of_a_point(activation: type[nn.Module]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        module = nn.Sequential(nn.Linear(3, 6), activation(), nn.Linear(6, 4), activation(), nn.Linear(4, 2)).double()
    low, high = boxes(5, 3)
    found = bounded(module, low, high)
    for share in np.random.default_rng(3).random((20, 5, 3)):
        point = low + (high - low) * torch.from_numpy(share)
        said = module(point)
        slopes = torch.stack([torch.autograd.functional.jacobian(module, one) for one in point])
        assert (found.low - 1e-12 <= said).all()
        assert (said <= found.high + 1e-12).all()
        assert (found.falls - 1e-12 <= slopes).all()
        assert (slopes <= found.rises + 1e-12).all()
    at = bounded(module, low, low)
    exact = torch.stack([torch.autograd.functional.jacobian(module, one) for one in low])
    assert torch.allclose(at.falls, exact, atol=1e-12)
    assert torch.allclose(at.rises, exact, atol=1e-12)


def test_weights_are_what_they_should_be() -> None:
    module = network()
    first = module[0]
    assert isinstance(first, MonotoneLinear)
    assert (first.weight[:, RISING] > 0).all()
    assert (first.weight[:, 1] < 0).any()
    assert 0 < negative_share(module) < 0.5
    whole = nn.Sequential(NonNegativeLinear(4, 3), nn.ReLU(), NonNegativeLinear(3, 2))
    assert negative_share(whole) == 0
    assert bounded(whole, *boxes(4, 4)).violations(torch.ones(4, dtype=torch.bool)) == 0
    with pytest.raises(PellucidError, match="one for each of 3 inputs"):
        MonotoneLinear(3, 2, [True])
    with pytest.raises(Refused, match="no interval bounds of LSTM"):
        bounded(nn.LSTM(3, 2), *boxes(1, 3))


def fitted_error(mirrored: bool, steps: int) -> float:
    """RMSE of tanh 8 (x − ½) fitted on 0..1."""
    x = torch.linspace(0, 1, 100)[:, None]
    y = (8 * (x - 0.5)).tanh()
    module = seeded(lambda: monotone(1, 1, hidden=32, depth=2, mirrored=mirrored), 1)
    optimizer = Recipe(optimizer="adam", lr=0.08).made(module)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.08 * (1 - step / steps)
        loss = (module(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float((module(x) - y).square().mean().sqrt().detach())


def best_convex_error() -> float:
    """Of the best convex rising function: an intercept and hinges with weights that are not negative."""
    x = np.linspace(0, 1, 100)
    hinges = np.maximum(x[:, None] - np.concatenate([[-1.0], x])[None], 0)
    basis = np.concatenate([hinges, np.ones((100, 1)), -np.ones((100, 1))], 1)
    return float(nnls(basis, np.tanh(8 * (x - 0.5)))[1] / 10)


def test_rectifiers_alone_are_convex_and_mirrored_ones_are_not() -> None:
    best = best_convex_error()
    assert 0.24 < best < 0.245
    assert fitted_error(True, 150) < best / 2
    assert fitted_error(False, 20) > best - 1e-4
