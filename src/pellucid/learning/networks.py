"""Small networks for studies of depth, normalization and skip connections."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import PellucidError, unknown
from pellucid.rng import generator

ActivationName = Literal["relu", "tanh", "sigmoid", "gelu", "silu", "linear"]
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU, "linear": nn.Identity,
}  # fmt: skip
M = TypeVar("M", bound=nn.Module)


def seeded(make: Callable[[], M], seed: int) -> M:
    """A module whose first weights depend on the seed alone; torch's random numbers of the caller stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, "network").integers(2**62)))
        return make()


class _Layer(nn.Module):
    """linear, norm, activation."""

    def __init__(self, inputs: int, width: int, activation: str, norm: bool, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, width)
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.activation, self.dropout = _ACTIVATIONS[activation](), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.dropout(self.activation(self.norm(self.linear(x))))
        return found


class _Residual(nn.Module):
    """x + scale · linear(activation(norm(x))): what is added to has no activation on its way (He et al. 2016)."""

    def __init__(self, width: int, activation: str, norm: bool, dropout: float, scale: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.activation, self.dropout = _ACTIVATIONS[activation](), nn.Dropout(dropout)
        self.linear, self.scale = nn.Linear(width, width), scale

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.scale * self.linear(self.dropout(self.activation(self.norm(x))))
        return found


class MLP(nn.Module):
    """`depth` hidden layers of one width, and a linear read-out; images are flattened.

    With `residual` every hidden layer but the first is added to what it receives, times `branch` (1/√depth by default;
    1 with batch norm, which keeps the branches at one scale).
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        *,
        depth: int,
        width: int = 64,
        activation: ActivationName = "relu",
        norm: bool = False,
        residual: bool = False,
        branch: float | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS:
            raise unknown("activation", activation, _ACTIVATIONS)
        if depth < 1 or width < 1:
            raise PellucidError(f"depth={depth}, width={width}: one hidden layer of one unit at least")
        scale = (1.0 if norm else 1 / math.sqrt(depth)) if branch is None else branch
        first = nn.Linear(inputs, width) if residual else _Layer(inputs, width, activation, norm, dropout)
        rest = (
            _Residual(width, activation, norm, dropout, scale)
            if residual
            else _Layer(width, width, activation, norm, dropout)
            for _ in range(depth - 1)
        )
        self.hidden = nn.Sequential(first, *rest, *([_ACTIVATIONS[activation]()] if residual else []))
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.hidden(x.flatten(1)))
        return found


class _Block(nn.Module):
    """Two convolutions of 3 × 3 with batch norm; the shortcut of option A (He et al. 2016): no weights, channels
    padded with zeros."""

    def __init__(self, inputs: int, width: int, stride: int, skip: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.more, self.skip = stride, width - inputs, skip

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.skip:
            short = x[:, :, :: self.stride, :: self.stride]
            h = h + (F.pad(short, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2)) if self.more else short)
        return F.relu(h)


class ResNet(nn.Module):
    """A ResNet for small images (He et al. 2016, section 4.2): depth 6n + 2, three stages of n blocks, with or without
    the skip connections."""

    def __init__(
        self, channels: int, classes: int, *, depth: int = 20, widths: Sequence[int] = (8, 16, 32), skip: bool = True
    ) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6 or len(widths) != 3:
            raise PellucidError(
                f"depth={depth}, widths={tuple(widths)}: a depth of 6n + 2 such as 20 or 56, and three widths"
            )
        self.conv1 = nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        blocks, before = [], widths[0]
        for stage, width in enumerate(widths):
            for i in range((depth - 2) // 6):
                blocks.append(_Block(before, width, 2 if stage and not i else 1, skip))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(before, classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear(self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))
        return found


class CNN(nn.Module):
    """Two convolutions, each halved by pooling, a hidden layer with dropout, a linear read-out."""

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        size: int = 8,
        widths: tuple[int, int] = (12, 24),
        dense: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        first, second = widths
        self.features = nn.Sequential(
            nn.Conv2d(channels, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.dense, self.relu = nn.Linear(second * (size // 4) ** 2, dense), nn.ReLU()
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(dense, classes)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.dropout(self.relu(self.dense(self.features(x).flatten(1)))))
        return found
