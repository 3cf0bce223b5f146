"""Mean field theory of wide networks at initialization: how signal and gradient change from layer to layer.

Poole et al. 2016, Schoenholz et al. 2017; batch norm: Yang et al. 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, unknown

NODES = 201
"""Of the Gauss–Hermite quadrature."""
BATCH_NORM = math.sqrt(math.pi / (math.pi - 1))
"""Growth of ‖∂L/∂h‖ per layer, backwards, under batch norm and ReLU: 1.2112."""
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu, "silu": F.silu, "linear": lambda x: x,
}  # fmt: skip
_KINK = 1e-9  # on both sides of 0, where a rectifier has no slope


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def _mean(activation: str, q: float, *, slope: bool) -> float:
    """E φ(√q z)², or with `slope` E φ'(√q z)², over z ~ N(0, 1)."""
    if activation not in _FUNCTIONS:
        raise unknown("activation", activation, _FUNCTIONS)
    nodes, weights = _quadrature()
    total = np.zeros(NODES)
    for side in (-_KINK, _KINK):  # a rectifier's slope at 0 is the mean of both sides
        x = torch.tensor(math.sqrt(q) * (nodes + side), dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            value = _FUNCTIONS[activation](x)
            found = torch.autograd.grad(value.sum(), x)[0] if slope else value
        total += found.detach().numpy() ** 2 / 2
    return float(weights @ total)


def length(q: float, activation: str, weight: float, bias: float = 0.0) -> float:
    """The variance of the next layer's pre-activations: σ_w² E φ(√q z)² + σ_b².

    `weight` is σ_w², the number of inputs times the variance of the weights; `bias` is σ_b².
    """
    return weight * _mean(activation, q, slope=False) + bias


def growth(q: float, activation: str, weight: float) -> float:
    """χ = σ_w² E φ'(√q z)²: the factor of ‖∂L/∂z‖² from one layer back to that before it, whose z has variance q."""
    return weight * _mean(activation, q, slope=True)


def fixed_length(activation: str, weight: float, bias: float = 0.0, start: float = 1.0) -> float:
    """q*, where the variance stays; 0 or infinite where it dies away or grows without end."""
    if activation in ("relu", "linear"):
        slope = weight / 2 if activation == "relu" else weight
        if slope < 1:
            return bias / (1 - slope)
        return start if slope == 1 and not bias else math.inf
    q = start
    for _ in range(20_000):
        after = length(q, activation, weight, bias)
        if not math.isfinite(after) or after > 1e12:
            return math.inf
        if abs(after - q) <= 1e-13 * max(q, 1e-13):
            return after
        q = after
    return q


def susceptibility(activation: str, weight: float, bias: float = 0.0) -> float:
    """χ at the fixed point: below 1 gradients vanish with depth, above 1 they explode."""
    return growth(fixed_length(activation, weight, bias), activation, weight)


def depth_scale(chi: float) -> float:
    """ξ = −1 / ln χ, in layers: how deep a signal reaches; infinite at χ = 1."""
    return math.inf if chi == 1 else -1 / math.log(chi)


def critical(activation: str, bias: float) -> float:
    """σ_w² at which χ = 1, for σ_b² = `bias`, by bisection."""
    if activation in ("relu", "linear"):
        return 2.0 if activation == "relu" else 1.0
    low, high = 0.25, 32.0
    if not susceptibility(activation, low, bias) < 1 < susceptibility(activation, high, bias):
        raise PellucidError(f"{activation} has no critical σ_w² between {low} and {high} at σ_b² = {bias}")
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if susceptibility(activation, middle, bias) < 1 else (low, middle)
    return (low + high) / 2
