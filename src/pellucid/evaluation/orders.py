"""In which order a map names pixels, and its values from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.rng import generator


def ranks(heat: Floats, seed: int, name: str) -> NDArray[np.int64]:
    """(H, W): 0 is the pixel of the largest value. Among equals chance decides, by seed and image: a flat map names
    pixels at random, and not from left to right. What is no number comes last.
    """
    values = np.where(np.isfinite(heat), heat, -np.inf).ravel()
    order = np.lexsort((generator(seed, name, "ties").permutation(values.size), -values))
    found = np.empty(values.size, np.int64)
    found[order] = np.arange(values.size)
    return found.reshape(heat.shape)


def between_0_and_1(heat: Floats) -> Floats:
    """A map with its smallest value at 0 and its largest at 1; all 0 where they are equal, and what is no number."""
    finite = np.isfinite(heat)
    low, high = (float(one) for one in (heat[finite].min(initial=np.inf), heat[finite].max(initial=-np.inf)))
    if not high > low:
        return np.zeros(heat.shape)
    return np.where(finite, (heat - low) / (high - low), 0.0)
