"""Networks of which every pixel's share is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.evaluation import baselines
from pellucid.geometry import Floats
from pellucid.net import Net

SIDE = 12


class Weighted(nn.Module):
    """Two outputs: a weighted sum of the pixels, and nothing."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, x: Tensor) -> Tensor:
        score = (x * self.weights).sum((1, 2, 3))
        return torch.stack([score, torch.zeros_like(score)], 1)


def weighted(seed: int = 0) -> Net:
    """Positive weights in a blob, near zero elsewhere: pixels 0..1 as they are."""
    y, x = np.mgrid[:SIDE, :SIDE]
    blob = np.exp(-((y - 3) ** 2 + (x - 7) ** 2) / 8)
    weights = torch.from_numpy(blob * (0.5 + np.random.default_rng(seed).random((3, SIDE, SIDE)))) / 20
    return pl.load(Weighted(weights).double(), size=SIDE, mean=(0.0,) * 3, std=(1.0,) * 3)


def photos(count: int = 3) -> list[np.ndarray]:
    """Random images (SIDE, SIDE, 3) in 0..1."""
    return [np.random.default_rng(k).random((SIDE, SIDE, 3)) for k in range(count)]


def shares(net: Net, pixels: Tensor, fill: float = 0.0) -> Floats:
    """(H, W) what each pixel adds to the score, above what the fill does."""
    weights = net.module.weights.detach()
    return ((pixels - fill) * weights).sum(0).numpy()


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Adds maps that are known beforehand, by name: `plant(perfect=lambda pixels: …)`."""

    def planted(**maps: Callable[[Tensor], Floats]) -> None:
        for name, made in maps.items():
            monkeypatch.setitem(baselines.BASELINES, name, lambda pixels, seed, image, made=made: made(pixels))

    return planted
