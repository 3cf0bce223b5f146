"""Where many images have the same thing at the same pixels: a watermark, a logo, a frame."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats

_CLIP = 0.1
"""Second differences are cut here, so that no single image decides."""
_SURE = 5.5
"""Standard errors from zero: one pixel in 26 million by chance."""
_FEWEST, _SMALLEST = 20, 8
"""Images that are needed, and pixels of a mark."""


class Marks:
    """Sums over images (H, W) of one size, of what has sharp edges at every pixel."""

    def __init__(self) -> None:
        self.count, self.sum, self.squares = 0, np.zeros(()), np.zeros(())

    def add(self, gray: Floats) -> bool:
        """One more image in 0..1; False, and nothing added, where its size is not that of the others."""
        if self.count and gray.shape != self.sum.shape:
            return False
        sharp = np.clip(ndimage.laplace(gray), -_CLIP, _CLIP)
        self.count, self.sum, self.squares = self.count + 1, self.sum + sharp, self.squares + sharp**2
        return True

    def mask(self) -> Mask | None:
        """(H, W) where the mean second difference is surely not zero; None where nothing is, or of too few images.

        In photos of things it is zero on average, because edges lie elsewhere in each (Dekel et al. 2017 find
        watermarks by the median of gradients, which wants them on more than half of the images). A mark that is in
        fewer images takes more images to be found: on half of them at least 31, and some hundred where it is faint.
        """
        if self.count < _FEWEST:
            return None
        mean = self.sum / self.count
        error = np.sqrt(np.maximum(self.squares / self.count - mean**2, 0) / self.count)
        parts, found = ndimage.label(_closed(np.abs(mean) > _SURE * error + 1e-6), np.ones((3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=found + 1)
        sizes[0] = 0
        inside = np.asarray((sizes >= _SMALLEST)[parts])
        return inside if inside.any() else None


def _closed(sure: Mask) -> Mask:
    """With the gaps between edges of one mark filled."""
    wide = np.pad(sure, 2)
    return np.asarray(ndimage.binary_closing(wide, iterations=2)[2:-2, 2:-2])
