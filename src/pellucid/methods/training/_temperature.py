"""The temperature that makes the right classes of some images most probable."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from pellucid.geometry import Floats

_RANGE = (0.05, 20.0)
_HALVINGS = 60


def scaled(log_p: Float[np.ndarray, "n c"], temperature: float) -> Float[np.ndarray, "n c"]:
    """Log probabilities as if their logits had been divided by the temperature."""
    found = log_p / temperature
    most = found.max(1, keepdims=True)
    return np.asarray(found - most - np.log(np.exp(found - most).sum(1, keepdims=True)))


def fitted(log_p: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"]) -> tuple[float, float]:
    """(T, its standard error): the least mean −log p, by bisection of its slope on log T from 0.05 to 20.

    By 1/T the mean −log p is convex, so that there is one minimum. The error is that of an M-estimator, which also
    holds where no temperature makes the model true.
    """
    low, high = (math.log(end) for end in _RANGE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope, _ = _slopes(log_p, labels, math.exp(-middle))
        low, high = (low, middle) if slope.mean() < 0 else (middle, high)  # 1/T should be larger, and T smaller
    temperature = math.exp((low + high) / 2)
    slope, curvature = _slopes(log_p, labels, 1 / temperature)
    bend = float(curvature.mean())
    if not bend > 0:
        return temperature, math.inf
    return temperature, float(np.sqrt((slope**2).mean() / len(slope)) / bend) * temperature**2


def _slopes(log_p: Floats, labels: Int[np.ndarray, " n"], beta: float) -> tuple[Floats, Floats]:
    """First and second derivative of each image's −log p by 1/T: E[z] − z of the right class, and the variance."""
    p = np.exp(scaled(log_p, 1 / beta))
    z = np.where(np.isfinite(log_p), log_p, 0)  # a masked class has no share in either
    mean = (p * z).sum(1)
    return mean - z[np.arange(len(z)), labels], (p * (z - mean[:, None]) ** 2).sum(1)
