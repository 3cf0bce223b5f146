"""New points on a map that is there already: each by itself, with all others held."""

from __future__ import annotations

from typing import cast

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.geometry import Floats

_DESCENT = 200  # steps of a new point in a t-SNE map


def affinities(
    new: Float[np.ndarray, "m parts"], old: Float[np.ndarray, "n parts"], perplexity: float
) -> tuple[NDArray[np.int64], Floats]:
    """((m, k) nearest old rows, their weights that sum to 1): t-SNE's p(j|i) of a new row, k three times as many as
    its perplexity.

    Each row by itself, and exact: no new row changes what another gets, be it in the last bit.
    """
    count = min(max(round(3 * perplexity), 1), len(old))
    near, weights = np.empty((len(new), count), np.int64), np.empty((len(new), count))
    for i, row in enumerate(new):
        apart = ((old - row) ** 2).sum(1)
        chosen = np.argpartition(apart, count - 1)[:count] if count < len(old) else np.arange(len(old))
        near[i] = chosen[np.lexsort((chosen, apart[chosen]))]
        weights[i] = _weights(apart[near[i]], min(perplexity, count - 1e-9))
    return near, weights


def _weights(apart: Floats, perplexity: float) -> Floats:
    """exp(−β d²), normalized, with the β whose entropy is log(perplexity): found by bisection (van der Maaten 2008)."""
    apart = apart - apart.min()
    low, high, beta = 0.0, np.inf, 1.0 / (apart.mean() or 1.0)
    for _ in range(100):
        weights = np.exp(-beta * apart)
        share = weights / weights.sum()
        entropy = float(np.log(weights.sum()) + beta * (share @ apart))
        if entropy > np.log(max(perplexity, 1.0)):
            low, beta = beta, 2 * beta if high == np.inf else (beta + high) / 2
        else:
            high, beta = beta, (low + beta) / 2
    return np.asarray(share)


def descended(
    begin: Float[np.ndarray, "m 2"], near: NDArray[np.int64], weights: Floats, map_: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "m 2"]:
    """New points moved to where they fit t-SNE's objective best, all others held: min over y of KL(p(j|i) ‖ q(j|i)).

    q(j|i) is (1 + |y − yⱼ|²)⁻¹ over the sum of it over all points of the map (Poličar et al. 2023, section 3).
    """
    found = np.empty_like(begin)
    for i, start in enumerate(begin):
        found[i] = _settled(start, map_[near[i]], weights[i], map_)
    return found


def _settled(start: Floats, friends: Floats, weights: Floats, map_: Floats) -> Floats:
    """Gradient steps that grow while they help and shrink where they do not."""

    def cost_and_slope(y: Floats) -> tuple[float, Floats]:
        away, all_away = y - friends, y - map_
        kernel, all_kernel = 1 / (1 + (away**2).sum(1)), 1 / (1 + (all_away**2).sum(1))
        total = all_kernel.sum()
        cost = float(-(weights * np.log(kernel)).sum() + np.log(total))
        pull = 2 * (weights * kernel) @ away
        return cost, cast(Floats, pull - 2 * (all_kernel**2) @ all_away / total)

    y, rate = start, 1.0
    cost, slope = cost_and_slope(y)
    for _ in range(_DESCENT):
        other = y - rate * slope
        new, new_slope = cost_and_slope(other)
        if new < cost:
            y, cost, slope, rate = other, new, new_slope, 1.5 * rate
        else:
            rate *= 0.4
        if rate * np.abs(slope).max() < 1e-9:
            break
    return y
