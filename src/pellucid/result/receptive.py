"""Receptive fields: what cells of layers can see, and what they look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.geometry import Pair
from pellucid.result.base import Meta, Result
from pellucid.result.patches import Box


@dataclass(frozen=True, eq=False)
class ReceptiveFields(Result):
    """The receptive field of the middle cell of L layers, in the network's input.

    `values` (L, H, W) are how much each pixel moves the cell, in shares that sum to 1. `boxes` are the theoretical
    fields (edges; they may reach outside the image), `strides` the pixels from cell to cell. `centers` and
    `spreads` are mean and standard deviation of the values' places, (vertical, horizontal).
    """

    values: Float[np.ndarray, "layers height width"]
    layers: tuple[str, ...]
    boxes: tuple[Box, ...]
    strides: tuple[Pair, ...]
    centers: tuple[Pair, ...]
    spreads: tuple[Pair, ...]
    meta: Meta = field(default_factory=Meta)
    each = ("values", "layers", "boxes", "strides", "centers", "spreads")

    def __repr__(self) -> str:
        return f"ReceptiveFields({', '.join(self.layers)})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> ReceptiveFields:
        """Layer i alone."""
        return self.alone(i, meta=self.meta)

    def size(self, i: int) -> Pair:
        """The theoretical field of layer i, (height, width)."""
        top, left, bottom, right = self.boxes[i]
        return bottom - top, right - left

    def effective(self, i: int) -> Box:
        """Two standard deviations to every side of the middle, within the theoretical field; edges."""
        (y, x), (down, across), box = self.centers[i], self.spreads[i], self.boxes[i]
        high = max(y + 0.5 - 2 * down, box[0]), min(y + 0.5 + 2 * down, box[2])
        wide = max(x + 0.5 - 2 * across, box[1]), min(x + 0.5 + 2 * across, box[3])
        return high[0], wide[0], high[1], wide[1]

    def share(self, i: int) -> float:
        """The effective field's area over the theoretical one's."""
        high, wide = self.size(i)
        top, left, bottom, right = self.effective(i)
        return (bottom - top) * (right - left) / (high * wide)
