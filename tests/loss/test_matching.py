"""Channels that may change places: the permuted network is the same one, and its order is found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.loss.matching import matched, permuted
from pellucid.loss.weights import plain
from pellucid.net import Net
from pellucid.net.channels import Group, groups_of
from tests.loss.networks import Everything, net_of


def tensors(net: Net) -> dict[str, Tensor]:
    every = [*net.module.named_parameters(), *net.module.named_buffers()]
    return {name: one.detach() for name, one in every if one.is_floating_point()}


def shuffled(groups: list[Group], seed: int) -> list[np.ndarray]:
    chance = np.random.default_rng(seed)
    return [np.arange(one.size) if one.fixed else chance.permutation(one.size) for one in groups]


class Residual(nn.Module):
    """Streams that are added, a squeeze-and-excitation gate, a norm without weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12, affine=False)
        self.inner, self.outer = nn.Conv2d(12, 20, 3, padding=1), nn.Conv2d(20, 12, 1)
        self.squeeze, self.excite = nn.Conv2d(12, 4, 1), nn.Conv2d(4, 12, 1)
        self.last = nn.Conv2d(12, 16, 3, stride=2)
        self.head = nn.Linear(16 * 9, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm(self.stem(x)))
        g = torch.relu(self.outer(torch.relu(self.inner(h))))
        g = g * torch.sigmoid(self.excite(torch.relu(self.squeeze(g.mean((2, 3), keepdim=True)))))
        h += g
        return self.head(torch.relu(self.last(h)).flatten(1))


@pytest.mark.parametrize("module", [Everything(), Residual()], ids=["everything", "residual"])
def test_a_network_with_its_channels_in_another_order_is_the_same(module: nn.Module) -> None:
    net = plain(net_of(module))
    pixels = torch.rand(3, 3, 8, 8, dtype=torch.float64)
    groups = groups_of(net, pixels[:2])
    moved = permuted(tensors(net), groups, shuffled(groups, 0))
    assert any(not torch.equal(one, moved[name]) for name, one in tensors(net).items())
    assert torch.allclose(net.with_weights(moved).run(pixels).output, net.run(pixels).output, atol=1e-12)
    free = {one.size for one in groups if not one.fixed}
    assert free == ({6} if isinstance(module, Everything) else {12, 20, 4, 16})


@pytest.mark.slow
def test_a_network_with_weights_of_a_file_has_the_same_groups(tmp_path: Path) -> None:
    """Its parameters and buffers are exchanged for a pass; two checkpoints of one network were once left unmatched."""
    net = net_of(Residual())
    pixels = torch.rand(2, 3, 8, 8)
    groups = groups_of(net, pixels)
    moved = permuted(tensors(net), groups, shuffled(groups, 0))
    for name, values in (("first", tensors(net)), ("second", moved)):
        torch.save({**net.module.state_dict(), **values}, tmp_path / f"{name}.pth")
    first, second = pl.Nets.of([tmp_path / "first.pth", tmp_path / "second.pth"], net=net)
    again = groups_of(first, pixels)
    assert [(one.size, one.fixed, one.places) for one in again] == [(one.size, one.fixed, one.places) for one in groups]
    back = permuted(tensors(second), again, matched(tensors(first), tensors(second), again, 0))
    assert all(torch.equal(back[name], one) for name, one in tensors(net).items())


def test_an_order_is_found_again_in_20_of_20_seeds() -> None:
    net = net_of(
        nn.Sequential(nn.Flatten(), nn.Linear(192, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    )
    groups = groups_of(net, torch.rand(2, 3, 8, 8))
    values = tensors(net)
    for seed in range(20):
        other = permuted(values, groups, shuffled(groups, seed))
        back = permuted(other, groups, matched(values, other, groups, seed))
        assert all(torch.equal(back[name], one) for name, one in values.items())


def test_the_embedded_network_is_the_same_in_another_order() -> None:
    net = pl.load("bundled")
    pixels = net.prepare(pl.read("sample:panda")).pixels
    groups = groups_of(net, pixels)
    assert sum(not one.fixed for one in groups) >= 20
    moved = permuted(tensors(net), groups, shuffled(groups, 0))
    assert torch.allclose(net.with_weights(moved).run(pixels).output, net.run(pixels).output, atol=1e-4)
