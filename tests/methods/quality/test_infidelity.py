"""Infidelity on networks of known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.evaluation.faithfulness import missed, squares
from tests.evaluation.networks import plant

__all__ = ["plant"]


def test_sums_that_foretell_miss_nothing_and_zero_misses_all() -> None:
    lost = np.array([1.0, -2.0, 0.5])
    assert missed(3 * lost, lost) == pytest.approx(0)
    assert missed(np.zeros(3), lost) == 1
    assert missed(lost, np.zeros(3)) == 0
    assert missed(np.array([2.0, 1.0, 0.0]), lost) == pytest.approx(1)


def test_what_float32_does_not_know_is_no_change() -> None:
    """A network that answers 1000, whatever it sees: the rounding of its sums is nothing to foretell."""

    class Still(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return 1000 + 1e-4 * pixels.sum((1, 2, 3))[:, None] * torch.tensor([0.1, -0.1])

    net = pl.load(Still(), size=16, mean=(0.0,) * 3, std=(1.0,) * 3)
    photos = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    table = pl.quality.infidelity(net, photos, of="gradient_times_input", fill="black", samples=8)["ranking"]
    assert set(table["infidelity"]) == {0.0}


def test_squares_are_squares_of_their_own(plant: Callable[..., None]) -> None:
    found = squares((20, 30), 50, 0, "a")
    for one in found:
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert one.sum() == len(rows) * len(columns)
        assert 1 <= len(rows) <= 7
    assert len({one.tobytes() for one in found}) > 40
