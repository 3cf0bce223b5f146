"""A small network and pictures for it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
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


_drawing = threading.Lock()  # the seed is that of all threads


def small() -> Net:
    with _drawing, torch.random.fork_rng(devices=[]):
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


class Deadly(Small):
    """Dies of white pictures, as a library with a fault in it would: no exception, no process any more."""

    def forward(self, x: Tensor) -> Tensor:
        if (x.mean((1, 2, 3)) > 0.99).any() and multiprocessing.parent_process() is not None:
            os._exit(11)
        return super().forward(x)


class DeadlyAnywhere(Small):
    """The same where workers are not of multiprocessing."""

    def forward(self, x: Tensor) -> Tensor:
        if (x.mean((1, 2, 3)) > 0.99).any():
            os._exit(11)
        return super().forward(x)


class Stuck(Small):
    """Never comes back from white pictures."""

    def forward(self, x: Tensor) -> Tensor:
        while (x.mean((1, 2, 3)) > 0.99).any() and multiprocessing.parent_process() is not None:
            time.sleep(1)
        return super().forward(x)


def deadly() -> nn.Module:
    return _with(Deadly)


def deadly_anywhere() -> nn.Module:
    return _with(DeadlyAnywhere)


def stuck() -> nn.Module:
    return _with(Stuck)


def _with(kind: type[Small]) -> nn.Module:
    module = kind()
    module.load_state_dict(build().state_dict())
    return module


def whiten(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        Image.new("RGB", (30, 24), "white").save(folder / name)
    return folder
