"""Where a layer's cells look, measured, on networks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.net.effective import MEASURED, WEIGHTS, effective


def looking(down: int, across: int, *, stride: int = 4) -> Net:
    """One convolution of 9 × 9 that looks at a single pixel of its field, off the middle by so much."""
    conv = nn.Conv2d(3, 4, 9, stride, 4)
    with torch.no_grad():
        conv.weight.mul_(1e-3)[:, :, 4 + down, 4 + across] = torch.tensor([1.0, -1.0, 2.0, 0.5])[:, None]
    return pl.load(nn.Sequential(conv, nn.Flatten(), nn.Linear(4 * 64, 2)), size=8 * stride)


@pytest.mark.parametrize("offset", [(0, 0), (3, -2), (-4, 1), (0, 4)])
def test_cells_are_placed_where_they_look(offset: tuple[int, int]) -> None:
    net = looking(*offset)
    found = effective(net, "0", (32, 32))
    theory = net.layer("0").placement
    assert theory is not None
    assert np.allclose(found.offset, offset, atol=0.05)
    assert np.allclose(np.subtract(found.placement.start, theory.start), offset, atol=0.05)
    assert found.placement.jump == theory.jump
    assert np.allclose(np.subtract(found.placement.field, theory.field), 2 * np.abs(offset), atol=0.1)
    assert effective(net, "0", (32, 32)) is found, "measured once"


def test_theory_stands_where_the_difference_may_be_chance() -> None:
    torch.manual_seed(0)
    net = pl.load(nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 16, 5, 2, 2)).eval(), size=48)
    found = effective(net, "2", (48, 48))
    assert max(np.abs(found.offset)) < 1
    assert np.abs(np.subtract(found.placement.start, net.layer("2").placement.start)).max() < 0.6  # type: ignore[union-attr]


def test_changed_weights_are_measured_again() -> None:
    net = looking(2, 2)
    before = effective(net, "0", (32, 32))
    conv = net.module[0]  # type: ignore[index]
    with torch.no_grad():
        conv.weight.copy_(conv.weight.flip(2, 3))
    after = effective(net, "0", (32, 32))
    assert np.allclose(before.offset, np.negative(after.offset), atol=0.05)


def test_class_maps_by_what_cells_look_at() -> None:
    net = looking(3, -2)
    picture = torch.rand(1, 3, 32, 32)
    by = {
        way: pl.attribution.grad_cam(net, picture, 1, layer="0", placement=way)
        for way in ("auto", "field", "effective")
    }
    assert np.array_equal(by["field"].values, by["effective"].values), "the map is the same, and lies elsewhere"
    assert by["auto"].placement == by["field"].placement
    moved = np.subtract(by["effective"].placement.start, by["field"].placement.start)
    assert np.allclose(moved, (3, -2), atol=0.05)
    assert any("where its cells look: +3.0 ± " in note for note in by["effective"].meta.said)


def test_what_cannot_be_measured_is_refused() -> None:
    class Blind(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(F.relu(self.a(x.round())).mean((2, 3)))

    net = pl.load(Blind(), size=12)
    with pytest.raises(Refused, match="where its cells look cannot be measured"):
        pl.attribution.grad_cam(net, torch.rand(1, 3, 12, 12), 1, placement="effective")
    with pytest.raises(Refused, match="no maps of places"):
        effective(net, "head", (12, 12))


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["act2", "blocks.4", "blocks.2"])
def test_what_ships_for_the_bundled_network_is_what_is_measured(layer: str) -> None:
    net = pl.load("bundled")
    assert net.weights == WEIGHTS, "other weights ask for other figures"
    found = effective(net, layer, (224, 224))
    for shipped, measured, error in zip(MEASURED[layer], found.offset, found.error, strict=True):
        assert abs(shipped - measured) < 3 * error + 0.5


def test_the_bundled_network_is_placed_as_measured() -> None:
    net = pl.load("bundled")
    heat = pl.attribution.grad_cam(net, pl.Images.of("sample:koala"), "koala")
    field = net.layer("act2").placement
    assert field is not None
    assert np.allclose(np.subtract(heat.placement.start, field.start), MEASURED["act2"])
