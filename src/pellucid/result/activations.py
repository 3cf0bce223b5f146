"""Activation maps: what the units of layers do with images, place by place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.geometry import Placement, View
from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class ActivationMaps(Result):
    """Maps of units of one layer: (N, units, rows, columns), raw and signed, in the layer's own frame.

    `units` are their numbers in the layer; `blank` is the share of the layer's maps that are zero everywhere, for
    each image, and `channels` how many the layer has.
    """

    values: Float[np.ndarray, "n units rows columns"]
    units: tuple[int, ...]
    placement: Placement
    views: tuple[View, ...]
    blank: tuple[float, ...]
    channels: int
    meta: Meta = field(default_factory=Meta)
    each = ("values", "views", "blank")

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.values.shape))
        return f"ActivationMaps({shape}, layer {self.meta.layer or 'unknown'})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> ActivationMaps:
        """The maps of image i alone, with N = 1."""
        return self.alone(i)
