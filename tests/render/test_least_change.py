"""The least change: against the optimum of a linear network, on whole levels, and what is said where it fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.render.adversarial import LEVELS, probability_of
from pellucid.render.least_change import least_changed
from pellucid.target import Logit

SIDE = 12


class Linear(nn.Module):
    """Two logits, 0 and a · x + b, so that the log odds of class 1 are linear in the pixels."""

    def __init__(self, seed: int, bias: float = -6.0) -> None:
        super().__init__()
        values = np.random.default_rng(seed).standard_normal(3 * SIDE * SIDE)
        self.weight = nn.Parameter(torch.from_numpy(values))
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        odds = (x.flatten(1) - 0.5) @ self.weight + self.bias
        return torch.stack([torch.zeros_like(odds), odds], 1)


def picture(seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(40, 216, (3, SIDE, SIDE)).astype(float))


def optimum(module: Linear, levels: Tensor, wanted: float) -> float:
    """The least sum |x' − x| of levels: the pixels that count most are moved as far as they go, one after the other."""
    slope = module.weight.detach().numpy() / LEVELS
    x = levels.numpy().ravel()
    room = np.where(slope > 0, LEVELS - x, x)
    lacking = wanted - float((x / LEVELS - 0.5) @ module.weight.detach().numpy() + module.bias)
    total = 0.0
    for i in np.argsort(-np.abs(slope)):
        moved = min(room[i], lacking / abs(slope[i]))
        total, lacking = total + moved, lacking - moved * abs(slope[i])
        if lacking <= 1e-12:
            return total
    raise AssertionError("out of reach")


@pytest.mark.parametrize("seed", range(3))
def test_near_the_optimum_of_a_linear_network(seed: int) -> None:
    module, levels = Linear(seed), picture(seed)
    net = Net(module, "linear")
    found = least_changed(net, levels, Logit(1), probability=0.85, most=2000, what="test")
    change = (found.levels - levels).abs()
    assert found.probability >= 0.85
    assert torch.equal(found.levels, found.levels.round())
    assert 0 <= found.levels.min() <= found.levels.max() <= LEVELS
    best = optimum(module, levels, np.log(0.85 / 0.15))
    assert best <= float(change.sum()) <= 1.25 * best + 1
    assert float((change > 0).double().mean()) < 0.1


def test_what_is_reported_is_true_of_the_picture() -> None:
    net = Net(Linear(0), "linear")
    found = least_changed(net, picture(0), Logit(1), probability=0.85, most=2000, what="test")
    assert found.probability == probability_of(net, found.levels, Logit(1))


def test_no_step_leaves_the_picture_as_it_is() -> None:
    net, levels = Net(Linear(0), "linear"), picture(0)
    found = least_changed(net, levels, Logit(1), probability=0.85, most=0, what="test")
    assert torch.equal(found.levels, levels)
    assert found.probability < 0.85


def test_what_has_the_class_already_is_not_changed() -> None:
    net, levels = Net(Linear(0, bias=60.0), "linear"), picture(0)
    assert torch.equal(least_changed(net, levels, Logit(1), probability=0.85, most=50, what="test").levels, levels)


def test_scores_that_do_not_depend_on_pixels() -> None:
    class Deaf(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x), 2)

    with pytest.raises(Refused, match="do not depend on the pixels"):
        least_changed(Net(Deaf(), "deaf"), picture(0), Logit(1), probability=0.85, most=3, what="test")
