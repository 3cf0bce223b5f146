"""Sparse units: the winners, the measures at their ends, and the loss."""

from __future__ import annotations

import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.interpretable import KWinners, hoyer, l1, overlap


def test_the_largest_win_and_only_they_are_trained() -> None:
    x = torch.tensor([[3.0, 1.0, 2.0, 2.0], [-1.0, -2.0, 0.0, 5.0]], requires_grad=True)
    found = KWinners(2)(x)
    assert found.tolist() == [[3.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 5.0]]
    found.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    assert torch.equal(KWinners(9)(x), x)
    with pytest.raises(PellucidError, match="at least one unit"):
        KWinners(0)


def test_measures_at_their_ends() -> None:
    assert hoyer(torch.ones(1, 9)).item() == pytest.approx(0, abs=1e-12)
    assert hoyer(torch.eye(5)).tolist() == pytest.approx([1] * 5)
    assert 0 < hoyer(torch.tensor([[1.0, 2.0, 0.0]])).item() < 1
    assert overlap(torch.eye(4)) == 0
    assert overlap(torch.tensor([[1.0, -2.0, 0.0], [2.0, -4.0, 0.0]])) == pytest.approx(1)
    assert l1(torch.tensor([[1.0, -2.0], [0.0, 3.0]])).item() == 3
