"""A network of units whose tastes are known, and pictures for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.index import Index
from pellucid.net import Net, Preprocess

SIZE, FIELD = 48, 7
RED, LIGHT, BAR, BLOB, MARK, DOUBLE, SILENT = range(7)
"""red − green in the middle; brightness there; an upright bar; a blob; a blue mark; twice the bar; nothing at all."""


def kernels() -> tuple[np.ndarray, np.ndarray]:
    """(7, 3, 7, 7) weights and (7,) biases."""
    weight, bias, middle = np.zeros((7, 3, FIELD, FIELD)), np.zeros(7), FIELD // 2
    weight[RED, :2, middle, middle] = 1, -1
    weight[LIGHT, :, middle, middle] = 1 / 3
    bar = np.tile([-1.0, -1, 1, 2, 1, -1, -1], (FIELD, 1)) / FIELD
    weight[BAR] = bar
    weight[DOUBLE] = 2 * bar
    y, x = np.mgrid[-3:4, -3:4]
    blob = np.where(y**2 + x**2 <= 4, 1.0, 0.0)
    weight[BLOB] = (blob / blob.sum() - (1 - blob) / (1 - blob).sum()) / 3
    weight[MARK, :, middle, middle], bias[MARK] = (-1, -1, 1), -0.8
    bias[SILENT] = -9
    return weight, bias


class Planted(nn.Module):
    """The known units, a layer without meaning, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.act = nn.Conv2d(3, 7, FIELD, stride=2), nn.ReLU()
        weight, bias = kernels()
        self.first.weight.data, self.first.bias.data = torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
        self.second, self.head = nn.Conv2d(7, 4, 3, padding=1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.act(self.first(x))).relu().mean((2, 3)))


def planted() -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Net(Planted(), "planted", Preprocess(resize=SIZE, crop=(SIZE, SIZE)))


def painted(folder: Path, count: int = 30) -> Path:
    """Bars and discs of all colors on gray; pictures of class b have a pure blue mark."""
    chance = np.random.default_rng(5)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    for i in range(count):
        picture = np.full((SIZE, SIZE, 3), 0.45) + chance.normal(0, 0.02, (SIZE, SIZE, 3))
        for _ in range(6):
            angle, away = chance.uniform(0, np.pi), chance.uniform(10, SIZE - 10, 2)
            across = (x - away[0]) * np.cos(angle) + (y - away[1]) * np.sin(angle)
            shape = np.abs(across) < 1.6 if chance.random() < 0.5 else np.hypot(x - away[0], y - away[1]) < 3
            picture[shape] = chance.uniform(0.2, 0.75, 3)
        if i % 3 == 1:
            top, left = chance.integers(4, SIZE - 12, 2)
            picture[top : top + 6, left : left + 6] = 0, 0, 1
        home = folder / "abc"[i % 3]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture.clip(0, 1) * 255).round().astype(np.uint8)).save(home / f"{i:03d}.png")
    return folder


def indexed(place: Path) -> Index:
    net = planted()
    return pl.units.index(net, painted(place / "photos"), store=place / "x.index", layers=("act", "second"), count=12)
