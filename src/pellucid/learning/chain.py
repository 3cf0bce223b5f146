"""What mean field theory says of the layers of a network, were they a plain chain: from its weights, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.learning import theory
from pellucid.learning.flow import Flow
from pellucid.learning.initial import fans

_KNOWN = {"relu": "relu", "relu_": "relu", "tanh": "tanh", "tanh_": "tanh", "sigmoid": "sigmoid", "sigmoid_": "sigmoid"}


@dataclass(frozen=True, eq=False)
class Chain:
    """Expected standard deviations of pre-activations and RMS of ∂L/∂h, (layers,) each, and the growth between layers.

    The signal starts from what was measured in the first layer, the gradient from what was measured in the last hidden.
    """

    signal: NDArray[np.float64]
    gradient: NDArray[np.float64]
    growth: float
    """Of the squared gradient, per layer backwards: the geometric mean over the hidden layers (χ)."""


def chain(flow: Flow, parts: Sequence[nn.Module]) -> Chain | None:
    """Theory for the layers of a flow, whose modules `parts` are.

    None where no activation follows whose theory is known, or the measured ends are zero or not finite.
    """
    hidden = len(flow.hidden)
    heard = [_KNOWN.get(one.activation, "") for one in flow.hidden]
    common = next((one for one in heard if one), "")
    ends = (flow.hidden[0].rms, flow.hidden[-1].gradient)
    if not common or hidden < 2 or not all(math.isfinite(one) and one > 0 for one in ends):
        return None
    squares = [_mean_square(part) for part in parts]
    forward = [square * fans(part)[0] for square, part in zip(squares, parts, strict=True)]
    back = [square * fans(part)[1] for square, part in zip(squares, parts, strict=True)]
    q, lengths = ends[0] ** 2, [ends[0] ** 2]
    for i in range(1, len(parts)):
        q = theory.length(1.0 if flow.normalized else q, common, forward[i])
        lengths.append(q)
    g, slopes = ends[1] ** 2, [ends[1] ** 2]
    for i in range(hidden - 1, 0, -1):
        chi = theory.BATCH_NORM**2 if flow.normalized else theory.growth(lengths[i - 1], common, back[i])
        g = g * chi
        slopes.append(g)
    slopes = [*slopes[::-1], *[math.nan] * (len(parts) - hidden)]
    with np.errstate(over="ignore"):
        signal, gradient = np.sqrt(np.array(lengths)), np.sqrt(np.array(slopes))
    return Chain(signal, gradient, growth(gradient[:hidden]))


def growth(gradients: NDArray[np.float64]) -> float:
    """Of squared gradients (layers,), per layer backwards; NaN where an end is zero or not finite."""
    first, last = float(gradients[0]), float(gradients[-1])
    if not (first > 0 and last > 0 and math.isfinite(first) and math.isfinite(last)) or len(gradients) < 2:
        return math.nan
    return math.exp(2 * (math.log(first) - math.log(last)) / (len(gradients) - 1))


def _mean_square(part: nn.Module) -> float:
    weight = part.weight
    return float((weight.detach().double() ** 2).mean()) if isinstance(weight, Tensor) else math.nan


def parts_of(module: nn.Module, flow: Flow) -> list[nn.Module]:
    """The modules of a flow's layers; `x#2` is the second call of x."""
    with torch.no_grad():
        return [module.get_submodule(one.name.partition("#")[0]) for one in flow.layers]
