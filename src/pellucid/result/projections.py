"""Patches that excite a unit, and what in them did, projected back to the pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.result.base import Meta, Result
from pellucid.result.patches import Patches


@dataclass(frozen=True, eq=False)
class Projections(Result):
    """Of each of N patches the projection of one cell: (N, channels, H, W), raw and signed.

    In pixels of the network's input, all of it: outside the cell's receptive field the numbers are zero. `unit` is
    what one unit of the values is.
    """

    values: Float[np.ndarray, "n channels height width"]
    patches: Patches
    unit: str = ""
    meta: Meta = field(default_factory=Meta)
    each = ("values", "patches")

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.values.shape))
        return f"Projections({shape} of {self.meta.target or 'a unit'}, in {self.unit or 'no unit'})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Projections:
        """The projection of patch i alone."""
        return self.alone(i, patches=self.patches[i], meta=self.meta)

    def window(self, i: int) -> tuple[slice, slice]:
        """Rows and columns of image i that its cell sees."""
        top, left, bottom, right = (round(edge) for edge in self.patches.boxes[i])
        height, width = self.values.shape[2:]
        rows, columns = (
            (min(max(a, 0), n), min(max(b, 0), n)) for a, b, n in ((top, bottom, height), (left, right, width))
        )
        return slice(*rows), slice(*columns)
