"""Filters that a person wrote down: their algebra, and that training leaves them alone."""

from __future__ import annotations

import math

import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.interpretable import BANKS, FixedConv, bank
from pellucid.interpretable.first_layers import center_surround, cosines, gabor, opponent, steerable


def test_every_direction_is_a_sum_of_a_few_others() -> None:
    """First derivatives of two, second ones of three (Freeman & Adelson 1991)."""
    made = steerable(9, angles=12)
    first, second = made[::2], made[1::2]
    for k in range(12):
        c, s = math.cos(math.pi * k / 12), math.sin(math.pi * k / 12)
        assert torch.allclose(first[k], c * first[0] + s * first[6], atol=1e-12)
        weights = [(1 + 2 * math.cos(2 * (math.pi * k / 12 - turn))) / 3 for turn in (0, math.pi / 3, 2 * math.pi / 3)]
        assert torch.allclose(second[k], sum(w * second[4 * j] for j, w in enumerate(weights)), atol=1e-12)


def test_cosines_are_at_right_angles_and_no_filter_sees_a_constant() -> None:
    flat = cosines(7, 20).flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(20, dtype=torch.float64), atol=1e-12)
    for one in (gabor(), cosines(), center_surround()[None], opponent()):
        assert one.flatten(1).sum(1).abs().max() < 1e-12
    gray = torch.rand(1, 1, 9, 9).expand(1, 3, 9, 9)
    colors = FixedConv(bank("opponent"))(gray)[0, 3:, 3:-3, 3:-3]
    assert colors.abs().max() < 1e-5, "color channels say nothing of gray images"


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_fixed_filters_are_no_weights(name: str, channels: int) -> None:
    filters = bank(name, channels)
    assert torch.allclose(filters.flatten(1).norm(dim=1), torch.ones(len(filters)), atol=1e-5)
    layer = FixedConv(filters)
    before = layer.filters.clone()
    layer(torch.rand(2, channels, 12, 12)).square().sum().backward()
    assert [name for name, _ in layer.named_parameters()] == ["scale"]
    assert layer.filters.grad is None
    assert torch.equal(layer.filters, before)


def test_an_unknown_bank_is_refused() -> None:
    with pytest.raises(PellucidError, match="gabor"):
        bank("gabo")
