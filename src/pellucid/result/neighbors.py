"""Images that are like another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class Neighbors(Result):
    """For each of N images the k that are most like it, the most similar first.

    `values` (N, k) are similarities in `unit`, `images` (N, k) the numbers of the similar images in the index,
    `names` and `labels` what they are called and their classes where known; `queries` are the images asked about,
    `matches` the similar ones, as thumbnails.
    """

    values: Float[np.ndarray, "n k"]
    images: Int[np.ndarray, "n k"]
    names: tuple[tuple[str, ...], ...]
    labels: tuple[tuple[str | None, ...], ...]
    queries: UInt8[np.ndarray, "n side side 3"]
    matches: UInt8[np.ndarray, "n k side side 3"]
    unit: str = "cosine"
    meta: Meta = field(default_factory=Meta)
    each = ("values", "images", "names", "labels", "queries", "matches")

    def __repr__(self) -> str:
        return f"Neighbors({' × '.join(map(str, self.values.shape))}, {self.unit}, layer {self.meta.layer})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Neighbors:
        """Those of image i alone."""
        return self.alone(i)
