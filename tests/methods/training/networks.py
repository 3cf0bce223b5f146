"""Networks and images that the tests of this chapter share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.data import Data
from pellucid.net import Labels, Net, Preprocess
from pellucid.net.load import load
from tests.net.test_load import cifar_resnet

CIFAR = {"resnet20": ("resnet20-12fca82f", 3), "resnet56": ("resnet56-4bfd9763", 9)}


def around(module: nn.Module, classes: int, channels: int = 1, size: int = 8) -> Net:
    """A network for images that are numbers already."""
    zeros, ones = (0.0,) * channels, (1.0,) * channels
    preprocess = Preprocess(resize=size, crop=(size, size), mean=zeros, std=ones)
    return Net(module.eval(), "small", preprocess, Labels.plain([f"c{i}" for i in range(classes)]))


class Linear(nn.Module):
    """Logits that are the pixels themselves: (N, 3, 1, C) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0, 0, :]


def cifar(shared: Callable[[str], Path], name: str) -> Net:
    """ResNet-20 or 56, as it was trained."""
    file, blocks = CIFAR[name]
    how: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "size": 32}
    return replace(load(cifar_resnet(blocks), weights=shared(f"data/weights/{file}.th"), **how), name=name)


def c4k(shared: Callable[[str], Path]) -> Data:
    """The first 4000 test images of CIFAR-10."""
    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        return Data.of((torch.from_numpy(file["x"]).permute(0, 3, 1, 2), file["y"].astype(np.int64)))
