"""An activation atlas: what a layer sees, laid out, and drawn as pictures made for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class Atlas(Result):
    """M cells of an atlas: `pixels` (M, H, W, C), the picture made for the mean activation in each, in 8 bits.

    `cells` are their (row, column) in a grid of `sides`, `counts` how many activations lie in each; `classes` which
    classes these speak for, (name, mean attribution) each, the strongest first; `values` are all activations in the
    plane, (N, 2), in cells.
    """

    pixels: UInt8[np.ndarray, "m height width channels"]
    cells: Int[np.ndarray, "m 2"]
    counts: Int[np.ndarray, " m"]
    classes: tuple[tuple[tuple[str, float], ...], ...]
    sides: tuple[int, int]
    values: Float[np.ndarray, "n 2"]
    meta: Meta = field(default_factory=Meta)
    each = ("pixels", "cells", "counts", "classes")

    def __repr__(self) -> str:
        return f"Atlas({len(self)} cells of {'×'.join(map(str, self.sides))}, layer {self.meta.layer})"

    def __len__(self) -> int:
        return len(self.pixels)
