"""Interval bounds: between what numbers a network's outputs, and their derivatives, lie for all inputs of a box.

A bound is a proof for every point of the box, up to rounding; sampling can only fail to find a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pellucid.errors import Refused
from pellucid.interpretable.monotone import Mirrored
from pellucid.rng import generator

Bounds = tuple[Tensor, Tensor]
"""(lower, upper)"""
_PAIRS = 1000
"""Sampled at once."""


def _rectified(low: Tensor, high: Tensor) -> Bounds:
    return (low > 0).to(low), (high > 0).to(low)


def _mirrored(low: Tensor, high: Tensor) -> Bounds:
    first = low.shape[-1] // 2
    up, down = _rectified(low[..., :first], high[..., :first]), _rectified(-high[..., first:], -low[..., first:])
    return torch.cat([up[0], down[0]], -1), torch.cat([up[1], down[1]], -1)


def _bump(slope: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Bounds]:
    """Of a derivative that falls on either side of 0: least at an end, largest at 0 where the interval holds it."""

    def bounds(low: Tensor, high: Tensor) -> Bounds:
        at = slope(low), slope(high)
        inside = slope(torch.zeros_like(low))
        return torch.minimum(*at), torch.where((low <= 0) & (high >= 0), inside, torch.maximum(*at))

    return bounds


_SLOPES: dict[type[nn.Module], Callable[[Tensor, Tensor], Bounds]] = {
    nn.ReLU: _rectified,
    Mirrored: _mirrored,
    nn.Identity: lambda low, high: (torch.ones_like(low), torch.ones_like(low)),
    nn.Tanh: _bump(lambda x: 1 - x.tanh().square()),
    nn.Sigmoid: _bump(lambda x: x.sigmoid() * (1 - x.sigmoid())),
    nn.Softplus: lambda low, high: (low.sigmoid(), high.sigmoid()),
}
"""Bounds of the derivatives of activations that never fall."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """Of B boxes: outputs between `low` and `high` (B, K), derivatives ∂ output / ∂ input between `falls` and `rises`
    (B, K, inputs)."""

    low: Tensor
    high: Tensor
    falls: Tensor
    rises: Tensor

    def violations(self, rising: Tensor) -> int:
        """How many derivatives by inputs in `rising` (inputs,) cannot be said to be 0 or more."""
        return int((self.falls[:, :, rising] < 0).sum())


def bounded(module: nn.Module, low: Tensor, high: Tensor) -> Bounded:
    """Bounds over the boxes from `low` to `high` (B, inputs) of a chain of linear layers and rising activations.

    Computed in float64 (Moore 1966; Sivaraman et al. 2020 ask a solver for the same). Refused for other layers.
    """
    parts = [*module] if isinstance(module, nn.Sequential) else [module]
    low, high = low.detach().double(), high.detach().double()
    steps: list[Tensor | Bounds] = []
    for part in parts:
        if isinstance(part, nn.Flatten):
            continue
        weight = getattr(part, "weight", None)
        if isinstance(weight, Tensor) and weight.dim() == 2:
            w, bias = weight.detach().double(), getattr(part, "bias", None)
            low, high = _through(low, high, w)
            if isinstance(bias, Tensor):
                low, high = low + bias.detach().double(), high + bias.detach().double()
            steps.append(w)
        elif type(part) in _SLOPES:
            steps.append(_SLOPES[type(part)](low, high))
            low, high = part(low), part(high)
        else:
            raise Refused(f"no interval bounds of {type(part).__name__}: linear layers, "
                          f"{', '.join(kind.__name__ for kind in _SLOPES)}")  # fmt: skip
    falls = torch.eye(low.shape[-1], dtype=torch.float64).expand(len(low), -1, -1)
    rises = falls
    for step in reversed(steps):
        if isinstance(step, Tensor):
            falls, rises = _through(falls, rises, step.T)
        else:
            corners = torch.stack([one * slope[:, None] for one in (falls, rises) for slope in step])
            falls, rises = corners.amin(0), corners.amax(0)
    return Bounded(low, high, falls, rises)


def _through(low: Tensor, high: Tensor, weight: Tensor) -> Bounds:
    """x W^T of an interval of x."""
    up, down = weight.clamp(min=0).T, weight.clamp(max=0).T
    return low @ up + high @ down, high @ up + low @ down


def sampled_violations(
    function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, rising: Tensor, samples: int, seed: int = 0
) -> int:
    """In how many of so many pairs of points an output falls although only inputs in `rising` rise from one to the
    other: of points drawn evenly from the box `low` to `high` (inputs,); falls of rounding, 1e-9 of the outputs'
    size, do not count."""
    found = 0
    for chunk in range(0, samples, _PAIRS):
        many = min(_PAIRS, samples - chunk)
        first, second = torch.from_numpy(generator(seed, "pairs", chunk).random((2, many, len(low))))
        start = low + (high - low) * first
        end = torch.where(rising, start + (high - start) * second, start)
        with torch.no_grad():
            before, after = function(start), function(end)
        slack = 1e-9 * before.abs().amax().clamp(min=1)
        found += int((after < before - slack).any(-1).sum())
    return found
