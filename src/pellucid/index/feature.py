"""The weighted mean of patches, some of which reach past the edges of their images."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_TAIL = 0.1  # percent of the values that may leave the range when contrast is stretched
_FLAT = 0.25  # a mean with less range than this is shown flat: stretched to the full, its tint would look like a color


class Mean:
    """Σ w I / Σ w for every pixel, over the patches that have it."""

    LEAST: ClassVar[float] = 0.1
    """Of the weight: a pixel that fewer patches have says nothing of the unit."""

    def __init__(self) -> None:
        self.sum, self.weight = np.zeros((1, 1, 1)), np.zeros((1, 1))
        self.whole = 0.0

    def add(self, crop: NDArray[Any], mask: NDArray[Any], weight: float) -> None:
        """Take in a patch (C, h, w) of which the mask (h, w) is there, in 0..1; it is zero elsewhere."""
        self.sum = self.sum + weight * crop.astype(np.float64)
        self.weight = self.weight + weight * mask.astype(np.float64)
        self.whole += weight

    def finish(self) -> tuple[Floats, Floats]:
        """(h, w, C) the mean, and (h, w) which share of the weight has each pixel."""
        covered = self.weight / (self.whole or 1)
        mean = self.sum / np.where(self.weight > 0, self.weight, 1)
        return np.where(covered > 0, mean, 0.5).transpose(1, 2, 0), covered


def contrasted(values: Floats, enough: NDArray[np.bool_]) -> Floats:
    """The range of all that is known as 0..1, in all colors alike, so that hues stay as they are."""
    known = values[enough]
    if not known.size:
        return values
    low, high = np.percentile(known, (_TAIL, 100 - _TAIL))
    if high - low < _FLAT:
        low = (high + low - _FLAT) / 2
        high = low + _FLAT
    return np.asarray((values - low) / (high - low))


def trimmed(pixels: NDArray[np.uint8], enough: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The rows and columns (H, W, C) where anything is known."""
    rows, columns = np.flatnonzero(enough.any(1)), np.flatnonzero(enough.any(0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """0..1 as 0..255."""
    found: NDArray[np.uint8] = (np.asarray(values, np.float64).clip(0, 1) * 255).round().astype(np.uint8)
    return found
