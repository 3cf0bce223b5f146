"""Weights drawn anew from the last layer down, and the input shift that a network takes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

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
