"""Weights drawn anew from the last layer down, and the input shift that a network takes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import pellucid as pl
from pellucid.evaluation.randomized import cascade, groups, one_by_one
from pellucid.evaluation.shifted import shifted
from tests.loss.networks import Everything, net_of


def test_a_cascade_begins_at_the_last_layer_and_leaves_none() -> None:
    net = net_of(Everything())
    before = {name: value.clone() for name, value in net.module.named_parameters()}
    names = [layer for layer, _ in groups(net)]
    assert names[0] == "head"
    assert names[-1] == "stem"
    assert sorted(name for _, some in groups(net) for name in some) == sorted(before)
    steps = list(cascade(net, 3, 0))
    assert steps[-1][0] == "stem"
    assert [share for _, share, _ in steps] == sorted(share for _, share, _ in steps)
    changed = [
        {name for name, value in other.module.named_parameters() if not torch.equal(value, before[name])}
        for _, _, other in steps
    ]
    assert changed[0] < changed[1] < changed[2]
    assert "stem.weight" in changed[2]
    assert all(torch.equal(value, before[name]) for name, value in net.module.named_parameters())
    alone = [
        {name for name, value in other.module.named_parameters() if not torch.equal(value, before[name])}
        for _, _, other in one_by_one(net, 100, 0)
    ]
    assert len(alone) == len(names)
    assert not set.intersection(*alone)


class Crossed(nn.Module):
    """Registered in another order than it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.second = nn.Linear(4, 2), parametrizations.weight_norm(nn.Conv2d(4, 4, 3))
        self.first = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(x).relu()).relu().mean((2, 3)))


def test_the_last_layer_is_the_one_that_runs_last() -> None:
    order = [layer for layer, _ in groups(net_of(Crossed()))]
    assert [layer.partition(".")[0] for layer in order] == ["head", "second", "first"]


def test_constant_weights_are_drawn_anew_as_well() -> None:
    """With their spread alone, which is zero, a map would be compared with itself."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 4, bias=False), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        module[1].weight.fill_(0.3)
        module[3].weight.zero_()
    net = net_of(module)
    before = {name: value.clone() for name, value in net.module.named_parameters() if value.dim() > 1}
    for _, _, other in one_by_one(net, 100, 0):
        moved = [not torch.equal(value, before[n]) for n, value in other.module.named_parameters() if n in before]
        assert sum(moved) == 1


def test_scales_stay() -> None:
    net = net_of(Everything())
    *_, (_, _, last) = cascade(net, 1, 0)
    for (name, old), (_, new) in zip(net.module.named_parameters(), last.module.named_parameters(), strict=True):
        if old.numel() > 60:
            sizes = [float(one.detach().std()) for one in (old, new)]
            assert sizes[1] == pytest.approx(sizes[0], rel=0.4), name


def test_a_map_of_another_network_is_another_and_edges_are_the_same() -> None:
    net, photos = net_of(Everything()), [np.random.default_rng(k).random((12, 12, 3)) for k in range(2)]
    found = pl.quality.randomization(net, photos, of="gradient", steps=2)
    each = {line.name: line.values for line in found["rank correlation"].lines}
    assert each["edges"].tolist() == [1, 1]
    assert each["gradient"][-1] < 0.9
    assert found.meta.found["layers"][-1] == "stem"


def test_the_input_shift_is_taken_back_exactly() -> None:
    net = net_of(Everything())
    pixels = torch.rand(3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    other, moved = shifted(net, pixels)
    assert torch.allclose(moved, (pixels + 1) / 2)
    assert torch.allclose(other.run(moved[None]).scores, net.run(pixels[None]).scores, atol=1e-10)
    assert other.layers((12, 12)).names == net.layers((12, 12)).names
