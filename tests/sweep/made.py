"""A small network and pictures for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.net import Net, Preprocess


class Small(nn.Module):
    """Convolutions with a saturating activation, so that there are ties, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.act = nn.Conv2d(3, 6, 3, stride=2), nn.ReLU6()
        self.second, self.head = nn.Conv2d(6, 5, 3), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(self.act(4 * self.first(x)))
        return self.head(h.relu().mean((2, 3)))


def small() -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return Net(Small(), "small", Preprocess(resize=24, crop=(24, 24)))


def build() -> nn.Module:
    """For workers, who open it by name."""
    return small().module


def photos(folder: Path, count: int, classes: int = 0) -> Path:
    """`count` noise pictures; black ones among them, for ties."""
    chance = np.random.default_rng(1)
    for i in range(count):
        home = folder / f"class{i % classes}" if classes else folder
        home.mkdir(parents=True, exist_ok=True)
        pixels = chance.integers(0, 256, (24, 30, 3), dtype=np.uint8) * (i % 5 > 0)
        Image.fromarray(pixels.astype(np.uint8)).save(home / f"{i:04d}.png")
    return folder
