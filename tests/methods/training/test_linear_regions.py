"""Linear regions: networks whose pieces are known exactly, and a fine grid beside the bisection."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.data import Data
from pellucid.errors import Refused
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP
from pellucid.learning.regions import montufar, precise, segment, widths
from pellucid.net import Net, Preprocess
from pellucid.net.patterns import patterns

HOW = Preprocess(channels=1, crop=(8, 8))


class Sawtooth(nn.Module):
    """2 relu(x) − 4 relu(x − ½), so many times, of the mean of the pixels."""

    def __init__(self, times: int, rectifier: object = F.relu) -> None:
        super().__init__()
        self.times, self.rectifier = times, rectifier
        self.one = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        x = x.mean((1, 2, 3))[:, None] * self.one
        for _ in range(self.times):
            x = 2 * self.rectifier(x) - 4 * self.rectifier(x - 0.5)  # type: ignore[operator]
        return torch.cat([x, -x], 1)


def gray() -> Data:
    """From black to white."""
    return Data.of((np.stack([np.zeros((1, 8, 8)), np.ones((1, 8, 8))]), np.array([0, 1])), pixels="0..1")


def noise(count: int = 12) -> Data:
    return Data.of((np.random.default_rng(0).random((count, 1, 8, 8)), np.arange(count) % 2), pixels="0..1")


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2, 3, 5, 8])
def test_a_sawtooth_has_two_to_the_depth(times: int) -> None:
    net = Net(Sawtooth(times), "sawtooth", HOW, scores="logits")
    found = pl.training.linear_regions(net, gray(), segments=1, max_passes=10**5)
    assert found["networks"]["regions"] == (2.0**times,)
    assert found["networks"]["exact"] == (True,)
    pixels = [gray().on(net).image(i).pictures[0][None].double() for i in (0, 1)]
    one = segment(precise(net), pixels[0], pixels[1], 1e-9, 10**5)
    assert np.allclose(one.breaks, np.arange(1, 2**times) / 2**times, atol=1e-8)


WAYS = {
    "relu": F.relu,
    "in place": lambda x: F.relu(x.clone(), inplace=True),
    "clamp": lambda x: x.clamp(min=0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "where": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    "product": lambda x: x * (x > 0),
    "abs": lambda x: (x + x.abs()) / 2,
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 100.0),
    "leaky": lambda x: F.leaky_relu(x, 0.0),
    "prelu": lambda x: F.prelu(x, torch.zeros(1, dtype=x.dtype)),
    "pooling": lambda x: F.max_pool2d(torch.stack([x, torch.zeros_like(x)], 2)[:, None], (1, 2))[:, 0, :, 0],
    "max": lambda x: torch.stack([x, torch.zeros_like(x)], 1).max(1).values,
    "amax": lambda x: torch.stack([x, torch.zeros_like(x)], 1).amax(1),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_a_rectifier_is_written(way: str) -> None:
    net = Net(Sawtooth(3, WAYS[way]), way, HOW, scores="logits")
    found = pl.training.linear_regions(net, gray(), segments=1)
    assert found["networks"]["regions"] == (8.0,)


def test_bisection_finds_what_a_fine_grid_finds_and_more() -> None:
    module = initialized(nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 20),
                                       nn.ReLU(), nn.Linear(20, 2)), "he", 1)  # fmt: skip
    net = precise(Net(module, "cnn", HOW))
    start, end = (noise().on(net).image(i).pictures[0][None].double() for i in (0, 1))
    found = segment(net, start, end, 1e-9, 10**5)
    t = torch.linspace(0, 1, 3001, dtype=torch.float64).view(-1, 1, 1, 1)
    told = [one for part in t.split(500) for one in patterns(net, start + part * (end - start))[0]]
    changed = np.flatnonzero([one != other for one, other in pairwise(told)])
    inside = np.histogram(found.breaks, np.linspace(0, 1, 3001))[0]
    assert np.array_equal(np.flatnonzero(inside), changed)
    assert found.exact
    assert found.regions >= len(changed) + 1 > 40
    logits = [net.run(start + float(p) * (end - start)).scores for p in found.breaks]  # affine from break to break
    for a, b, one, other in zip(found.breaks, found.breaks[1:], logits, logits[1:], strict=False):
        middle = net.run(start + (a + b) / 2 * (end - start)).scores
        assert torch.allclose(middle, (one + other) / 2, atol=1e-7)


def test_what_is_not_followed_to_the_end_says_so() -> None:
    net = Net(Sawtooth(8), "sawtooth", HOW, scores="logits")
    found = pl.training.linear_regions(net, gray(), segments=1, max_passes=300)
    assert found["networks"]["exact"] == (False,)
    assert 8 < found["networks"]["regions"][0] < 256
    assert "at least" in found.findings[0]
    assert any("more regions" in note.text for note in found.meta.notes)


@pytest.mark.parametrize("activation", ["gelu", "tanh", "silu"])
def test_smooth_networks_are_refused(activation: str) -> None:
    net = Net(MLP(64, 2, depth=2, width=16, activation=activation), activation, HOW)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="not piecewise linear"):
        pl.training.linear_regions(net, noise())


def test_the_bound_is_that_of_the_theorem() -> None:
    """One layer: the regions of an arrangement of lines; more of them multiply."""
    assert montufar((1, 5, 1)) == 6
    assert montufar((2, 4, 1)) == 1 + 4 + 6
    assert montufar((2, 4, 6, 1)) == 2**2 * (1 + 6 + 15)
    assert montufar((1, 2, 2, 2, 1)) == 2 * 2 * 3
    assert montufar((8, 4, 2)) is None
    net = Net(MLP(64, 2, depth=2, width=130), "mlp", HOW)
    assert widths(net) == (64, 130, 130, 2)
    found = pl.training.linear_regions(net, noise(), segments=1)["networks"]
    assert found["units"] == (260,)
    assert found["bound"][0] == pytest.approx(
        64 * math.log10(2) + math.log10(sum(math.comb(130, j) for j in range(65)))
    )


@pytest.mark.slow
def test_random_networks_have_regions_as_many_as_units_not_as_depth() -> None:
    """Reference: 120 units at depth 1/2/4/6/12: 62, 64, 55, 73, 44; 30/60/120/240 units: 17/28/62/108."""

    def regions(depth: int, units: int) -> float:
        nets = [Net(initialized(MLP(64, 2, depth=depth, width=units // depth), "he", seed), f"{seed}", HOW)
                for seed in range(6)]  # fmt: skip
        return float(np.mean(pl.training.linear_regions(nets, noise(), segments=3)["networks"]["regions"]))

    deep = [regions(depth, 120) for depth in (1, 4, 12)]
    assert max(deep) < 2 * min(deep)
    wide = [regions(2, units) for units in (30, 60, 120)]
    for one, other in pairwise(wide):
        assert 1.4 < other / one < 2.6
