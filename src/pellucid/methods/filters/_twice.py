"""Filters that are there twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

ALIKE = 0.95
"""Cosine from which on two filters count as the same."""
_LUCK = 0.05  # pairs of random filters that may be alike by chance in a whole layer


def nearest(
    filters: Float[np.ndarray, "filters channels height width"], inputs: Sequence[tuple[int, ...]]
) -> tuple[Int[np.ndarray, " filters"], Float[np.ndarray, " filters"]]:
    """(the filter most like each, their cosine); −1 and NaN for filters that have none to be compared with.

    Only filters that read the same channels can be the same; filters of length zero are like none.
    """
    flat = filters.reshape(len(filters), -1).astype(np.float64)
    lengths = np.sqrt((flat**2).sum(1))
    usable = np.isfinite(lengths) & (lengths > 0)
    flat = np.where(usable[:, None], flat, 0) / np.where(usable, lengths, 1)[:, None]
    twin, cosine = np.full(len(filters), -1), np.full(len(filters), np.nan)
    for reads in dict.fromkeys(inputs):
        mine = np.array([i for i, one in enumerate(inputs) if one == reads and usable[i]], dtype=int)
        if len(mine) < 2:
            continue
        alike = flat[mine] @ flat[mine].T
        np.fill_diagonal(alike, -np.inf)
        best = alike.argmax(1)
        twin[mine], cosine[mine] = mine[best], np.clip(alike[np.arange(len(mine)), best], -1, 1)
    return twin, cosine


def threshold(numbers: int, filters: int) -> float | None:
    """The cosine from which on two filters of so many numbers are duplicates: ALIKE, or more where random ones
    come as near; None where too few numbers cannot tell.
    """
    pairs = filters * (filters - 1) / 2
    for cosine in (ALIKE, 0.99, 0.999):
        if pairs * by_chance(cosine, numbers) < _LUCK:
            return cosine
    return None


def by_chance(cosine: float, numbers: int) -> float:
    """How likely two random directions of so many dimensions have at least that cosine.

    The share of a sphere's surface in a cap: ∫₀^θ sin^(n−2) / ∫₀^π sin^(n−2).
    """
    if numbers < 2:
        return 0.5
    angle = np.linspace(0, math.pi, 20_001)
    density = np.sin(angle) ** (numbers - 2)
    return float(density[angle <= math.acos(cosine)].sum() / density.sum())
