"""Layers whose outputs can only rise with inputs that a person names, and layers without a negative weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import PellucidError


class MonotoneLinear(nn.Module):
    """x W^T + b, where the weights of the inputs in `rising` are softplus(n · raw) / n > 0 of n inputs, and all others
    free: (…, inputs) -> (…, outputs). `rising` (inputs,) says which; all of them without it.
    """

    def __init__(self, inputs: int, outputs: int, rising: Sequence[bool] | Tensor | None = None) -> None:
        super().__init__()
        chosen = torch.ones(inputs, dtype=torch.bool) if rising is None else torch.as_tensor(rising, dtype=torch.bool)
        if chosen.shape != (inputs,):
            raise PellucidError(f"rising has {tuple(chosen.shape)} entries: one for each of {inputs} inputs")
        self.rising: Tensor
        self.register_buffer("rising", chosen)
        free = torch.randn(outputs, inputs) / math.sqrt(inputs)
        risen = (2 * torch.rand(outputs, inputs) + 1e-4).expm1().log() / inputs  # the mean of a weight is 1 / n
        self.raw = nn.Parameter(torch.where(chosen, risen, free))
        self.bias = nn.Parameter(torch.rand(outputs) - 0.5)  # positive weights of positive inputs: kinks on both sides

    @property
    def weight(self) -> Tensor:
        """(outputs, inputs) as they act."""
        n = self.raw.shape[1]  # so that a step of training is one of the weights' own size
        return torch.where(self.rising, F.softplus(n * self.raw) / n, self.raw)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class NonNegativeLinear(nn.Module):
    """x W^T + b with W = raw², which training may drive to exactly nothing, so that units become parts (Chorowski &
    Zurada 2015): (…, inputs) -> (…, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.raw = nn.Parameter((2 / inputs * torch.rand(outputs, inputs)).sqrt())
        self.bias = nn.Parameter(torch.zeros(outputs))

    @property
    def weight(self) -> Tensor:
        """(outputs, inputs) as they act."""
        return self.raw.square()

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class Mirrored(nn.Module):
    """ReLU(x) for the first half of the units, its concave mirror image −ReLU(−x) for the others.

    Rising weights and ReLU alone make convex functions only; with both halves any rising function can be approached.
    """

    def forward(self, x: Tensor) -> Tensor:
        first = x.shape[-1] // 2
        return torch.cat([F.relu(x[..., :first]), -F.relu(-x[..., first:])], -1)


def monotone(
    inputs: int, outputs: int, rising: Sequence[bool] | Tensor | None = None, *, hidden: int = 32, depth: int = 2,
    mirrored: bool = True,
) -> nn.Sequential:  # fmt: skip
    """A network (…, inputs) -> (…, outputs) every output of which can only rise with the inputs in `rising`.

    `depth` hidden layers of `hidden` units. The first layer's weights of those inputs and all later weights are
    positive, and no activation falls. Without `mirrored` every activation is ReLU, and the network convex in them.
    """
    parts: list[nn.Module] = []
    for k in range(depth):
        parts += [
            MonotoneLinear(inputs if k == 0 else hidden, hidden, rising if k == 0 else None),
            Mirrored() if mirrored else nn.ReLU(),
        ]
    return nn.Sequential(*parts, MonotoneLinear(hidden if depth else inputs, outputs, None if depth else rising))


def negative_share(module: nn.Module) -> float:
    """Share of the weights (biases left out) below zero, 0..1, as they act."""
    weights = (getattr(part, "weight", None) for part in module.modules())
    own = [one.detach() for one in weights if isinstance(one, Tensor)]
    many = sum(one.numel() for one in own)
    return sum(int((one < 0).sum()) for one in own) / many if many else 0.0
