"""DeepLIFT: multipliers Δy / Δx between images and their references.

Images are the first half of a batch, their references the second. The signal of the first half is the multiplier;
linear operations keep their transposes, so multipliers chain as gradients do (Shrikumar et al. 2017, section 3.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from pellucid.net.rules.elementwise import derivative, upcast, vjp
from pellucid.net.rules.engine import Call, Rule, custom_backward
from pellucid.net.rules.operations import Kind

_SAME = 1e-7
"""Relative to the size of the numbers: closer inputs have no Δ, and the slope is taken."""


@final
@dataclass(frozen=True)
class Rescale(Rule):
    """Single numbers: Δy / Δx. Products: each factor times the mean of the other. Pools: the larger winner's place."""

    pairs: int
    """Images in the first half of the batch."""
    name: str = "DeepLIFT"
    exhaustive = True

    def handles(self, operation: str, kind: Kind) -> bool:
        return kind not in ("alike", "composed")

    def apply(self, call: Call) -> tuple[Any, str] | None:
        if call.kind in ("weighted", "batch_norm") or (call.kind == "matmul" and len(call.inputs) == 1):
            return call.function(*call.inputs), "linear"
        axes = _of_images(call, 2 * self.pairs)
        if axes is None:
            return None
        if call.kind == "elementwise":
            return _rescaled(call), "rescale"
        if call.kind in ("product", "matmul") and len(call.inputs) == 2:
            return _product(call, axes), "mean of the other"
        return _pooled(call) if call.kind == "pool" else None


def _of_images(call: Call, images: int) -> tuple[int, ...] | None:
    """The axis of each input along which the images lie; None where they are not to be found."""
    if all(x.dim() and len(x) == images for x in call.inputs):
        return (0,) * len(call.inputs)
    if call.operation.startswith("conv") and len(call.inputs) == 2:
        x, weight = call.inputs  # every image has its own weights: one image of (images · channels), in groups
        groups = x.shape[1] // weight.shape[1]
        if len(x) == 1 and groups % images == 0 and "transpose" not in call.operation:
            return 1, 0
    return None


def _rescaled(call: Call) -> Tensor:
    (x,) = call.inputs
    kept = x.detach()
    with torch.no_grad():
        value = call.function(kept)
    (x1, x2), (y1, y2) = upcast(kept).chunk(2), upcast(value.clone()).chunk(2)
    change = x1 - x2
    same = change.abs() <= _SAME * (x1.abs() + x2.abs()).clamp(min=1e-3)

    def back(m: Tensor) -> tuple[Tensor]:
        # Where x hardly changes, the slope between: rounding would decide Δy / Δx.
        rate = torch.where(same, derivative(call.function, (x1 + x2) / 2), (y1 - y2) / torch.where(same, 1.0, change))
        first = upcast(m[: len(m) // 2]) * rate
        return (torch.cat([first, torch.zeros_like(first)]).to(kept.dtype),)

    return custom_backward(value, back, x)


def _product(call: Call, axes: tuple[int, ...]) -> Tensor:
    a, b = (x.detach() for x in call.inputs)
    with torch.no_grad():
        value = call.function(a, b)

    def mean(x: Tensor, axis: int) -> Tensor:
        first, second = x.chunk(2, axis)
        return torch.cat([(first + second) / 2] * 2, axis)

    def back(m: Tensor) -> tuple[Tensor, Tensor]:
        # Δ(ab) = Δa · mean b + mean a · Δb, exactly.
        to_a = vjp(lambda x: call.function(x, mean(b, axes[1])), a, m)
        return to_a, vjp(lambda x: call.function(mean(a, axes[0]), x), b, m)

    return custom_backward(value, back, *call.inputs)


def _pooled(call: Call) -> tuple[Any, str] | None:
    (x,) = call.inputs
    kept = x.detach()
    with torch.no_grad():
        returned = call.function(kept)
    value, *places = (returned,) if isinstance(returned, Tensor) else returned

    def pool(x: Tensor) -> Tensor:
        values = call.function(x)
        return values if isinstance(values, Tensor) else values[0]

    if not value.dim() or len(value) != len(kept):
        return None
    furthest = torch.minimum if call.operation in ("min", "amin") else torch.maximum
    (y1, y2), (x1, x2) = upcast(value.clone()).chunk(2), upcast(kept).chunk(2)

    def back(m: Tensor) -> tuple[Tensor]:
        first, most = upcast(m[: len(m) // 2]), furthest(y1, y2)
        # What the larger winner gained lies at its own place, where x1 - x2 is at least as large.
        sent = torch.cat([first * (most - y2), first * (y1 - most)])
        at1, at2 = vjp(pool, torch.cat([x1, x2]), sent).chunk(2)
        change = x1 - x2
        multiplier = torch.where(change == 0, 0.0, (at1 + at2) / torch.where(change == 0, 1.0, change))
        return (torch.cat([multiplier, torch.zeros_like(multiplier)]).to(kept.dtype),)

    pooled = custom_backward(value, back, x)
    return pooled if isinstance(returned, Tensor) else type(returned)((pooled, *places)), "cross-maximum"
