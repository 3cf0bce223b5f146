"""Rules of rectifiers: guided backpropagation and the deconvnet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor

from pellucid.net.rules.engine import Call, Rule, custom_backward
from pellucid.net.rules.operations import ACTIVATIONS, Kind

Function = Callable[..., Tensor]

RECTIFIERS = {"relu", "relu6", "hardtanh", "clamp", "threshold"}
"""Piecewise linear with slope 0 or 1: f'(x) is the forward mask."""
MONOTONE = {"leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "softplus"}
"""Never falling: the derivative is kept, the signal is clamped."""
SMOOTH = {"gelu", "silu", "mish", "hardswish"}
"""The derivative can be negative: no published definition, hence a choice."""

Smooth = Literal["positive_product", "gate", "plain"]


class _Rectifying(Rule):
    """The operations that both rules handle."""

    def handles(self, operation: str, kind: Kind) -> bool:
        return operation in ACTIVATIONS or kind == "pool"


@final
@dataclass(frozen=True)
class Guided(_Rectifying):
    """Guided backpropagation (Springenberg et al. 2015, section 3.4): R · [R > 0] · f'(x).

    For a ReLU, f' is the forward mask [x > 0]; for ReLU6 and hardtanh the mask of the slope, 0 < x < 6. Smooth
    activations: `positive_product` relu(R · f'(x)), `gate` relu(R) · [x > 0], `plain` R · f'(x).
    """

    smooth: Smooth = "positive_product"
    name = "guided"

    def apply(self, call: Call) -> tuple[Any, str] | None:
        operation, function, x = call.operation, call.function, call.inputs[0]
        if operation in RECTIFIERS | MONOTONE:
            return _positive(function(x)), "guided"
        if operation in SMOOTH and self.smooth == "positive_product":
            return function(_positive(x)), "guided (positive_product)"
        if operation in SMOOTH and self.smooth == "gate":
            return _gated(x, function), "guided (gate)"
        return None


@final
@dataclass(frozen=True)
class Deconvnet(_Rectifying):
    """The deconvnet (Zeiler & Fergus 2013, section 2.1): R · [R > 0], whatever the forward mask was.

    ReLU6, hardtanh and smooth activations alike; LeakyReLU, PReLU and ELU keep their slope.
    """

    name = "deconvnet"

    def apply(self, call: Call) -> tuple[Any, str] | None:
        operation, function, x = call.operation, call.function, call.inputs[0]
        if operation in RECTIFIERS | SMOOTH:
            return custom_backward(function(x.detach()), lambda signal: (signal.clamp(min=0),), x), "deconvnet"
        if operation in MONOTONE:
            return _positive(function(x)), "deconvnet (slope kept)"
        return None


@final
@dataclass(frozen=True)
class Redirected(Rule):
    """A rectifier that would answer nothing at all passes on what would bring it back (Olah et al. 2017).

    Only for images of which no part passes; there, clipped inputs pass signals that push them towards the range
    that is not clipped. For ascent: the signal is the gradient of what is to rise.
    """

    name = "redirected"

    def handles(self, operation: str, kind: Kind) -> bool:
        return operation in RECTIFIERS

    def apply(self, call: Call) -> tuple[Any, str] | None:
        x = call.inputs[0].detach()
        y = call.function(x)
        free = y == x

        def back(signal: Tensor) -> tuple[Tensor]:
            plain = signal * free
            alive = plain.reshape(len(plain), -1).any(1)
            if alive.all():
                return (plain,)
            waking = signal * (((y > x) & (signal > 0)) | ((y < x) & (signal < 0)))
            return (torch.where(alive.view(-1, *[1] * (signal.dim() - 1)), plain, waking),)

        return custom_backward(y, back, call.inputs[0]), "redirected"


def _positive(x: Tensor) -> Tensor:
    """x; on the way back, only the positive part of the signal passes."""
    # a copy: what follows may write in place, and the activation's result is saved
    return custom_backward(x, lambda signal: (signal.clamp(min=0),), x)


def _gated(x: Tensor, function: Function) -> Tensor:
    """function(x); on the way back, the positive part of the signal passes where x is positive."""
    is_open = x.detach() > 0
    return custom_backward(function(x.detach()), lambda signal: (signal.clamp(min=0) * is_open,), x)
