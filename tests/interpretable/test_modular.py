"""Sums of parts: contributions sum to the logits, and no part sees another's inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pellucid.errors import PellucidError
from pellucid.interpretable import Additive, Places, shares
from pellucid.learning.networks import seeded


def test_contributions_sum_to_the_logits() -> None:
    maps = torch.rand(3, 6, 4, 5)
    for part in (Places(6, 4), Additive([torch.tensor([0, 3]), torch.tensor([1, 2, 4, 5])], 4)):
        nn.init.normal_(part.bias)
        assert torch.allclose(part.contributions(maps).sum(1) + part.bias, part(maps), atol=1e-6)
    assert Places(6, 4).contributions(maps).shape == (3, 20, 4)


def test_what_lies_outside_a_part_changes_it_by_nothing() -> None:
    """Behind convolutions: pixels outside a cell's field; of an additive network, the inputs of another group."""
    trunk = seeded(lambda: nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 6, 3)), 0)
    head, image = seeded(lambda: Places(6, 4), 1), torch.rand(1, 3, 12, 12)
    changed = image.clone()
    changed[:, :, :, 5:] = 0  # the cell at (0, 0) sees 5 × 5 pixels
    one, other = (head.contributions(trunk(x))[0, 0] for x in (image, changed))
    assert torch.equal(one, other)
    additive = seeded(lambda: Additive([torch.tensor([0, 1]), torch.tensor([2])], 3), 0)
    rows = torch.rand(4, 3)
    moved = rows.clone()
    moved[:, 2] = 9
    assert torch.equal(additive.contributions(rows)[:, 0], additive.contributions(moved)[:, 0])
    with pytest.raises(PellucidError, match="without inputs"):
        Additive([torch.tensor([])], 3)


def test_shares_sum_to_one() -> None:
    found = shares(torch.randn(50, 4, 3))
    assert torch.allclose(found.sum(0), torch.ones(3, dtype=torch.float64))
    alone = torch.zeros(50, 2, 1)
    alone[:, 1, 0] = torch.randn(50)
    assert shares(alone)[:, 0].tolist() == [0, 1]
