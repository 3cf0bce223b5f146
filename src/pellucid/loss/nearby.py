"""Places near the weights where the loss is worst, and where it has risen by so much."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from pellucid.geometry import Floats
from pellucid.loss.weights import Vector
from pellucid.resume import Coordinates

_FARTHEST = 2.0
"""Where a rise is no longer looked for, in units of the axis."""


def in_box(gradient: Vector, weights: Vector, moved: Vector, share: float, epsilon: float) -> dict[str, Tensor]:
    """A step up within the box |δ| ≤ ε (|θ| + 1), from where the weights have been moved to (Keskar et al. 2017)."""
    sides = {name: epsilon * (one.abs() + 1) for name, one in weights.items()}
    return {
        name: (moved[name] + share * sides[name] * gradient[name].sign()).clamp(min=-sides[name], max=sides[name])
        for name in weights
    }


def in_ball(gradient: Vector, weights: Vector, radius: float) -> dict[str, Tensor]:
    """δ = ρ θ² g / ‖θ g‖: where a gradient is steepest in the ball ‖δ / |θ|‖ ≤ ρ (Kwon et al. 2021, equation 4)."""
    scaled = {name: one * gradient[name] for name, one in weights.items()}
    length = float(sum(float(one.square().sum()) for one in scaled.values()) ** 0.5) or 1.0
    return {name: radius * weights[name] * one / length for name, one in scaled.items()}


def crossing(at: Callable[[Coordinates], Floats], level: float, sign: int) -> float:
    """How far along a line the loss passes a level, by bisection; at most 2."""
    low, high = 0.0, _FARTHEST
    for _ in range(10):
        middle = (low + high) / 2
        if not float(at((sign * middle,))[0, 0]) <= level:  # also where it is no number
            high = middle
        else:
            low = middle
    return (low + high) / 2
