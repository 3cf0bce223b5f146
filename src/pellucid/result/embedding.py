"""Where images lie: a map of what a network makes of them, and what of it is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class Grid:
    """The same images in a full grid: a cell for each, near those that it was near.

    `cells` are (row, column); `seams` (rows, columns, 2) say how far a cell's image is from that on its right, and
    from that below it, in the space of the features: in medians of that over all neighbors. NaN where there is none.
    """

    cells: Int[np.ndarray, "n 2"]
    seams: Float[np.ndarray, "rows columns 2"]

    @property
    def sides(self) -> tuple[int, int]:
        """(rows, columns)"""
        return self.seams.shape[0], self.seams.shape[1]


@dataclass(frozen=True, eq=False)
class Embedding2D(Result):
    """N images in a plane: `values` are (N, 2), x to the right and y downwards, in no unit.

    `images` are their numbers in the index, `names` what they are called, `labels` their classes where known;
    `thumbnails` are small pictures of those at `thumbnail_rows`, of all or of a sample. `quality` says what the map
    keeps
    of who is near whom, 1 at best. `grid` is the same map with a cell for each. Of images that were placed on a
    map that was there, `reference` is that map.
    """

    values: Float[np.ndarray, "n 2"]
    images: Int[np.ndarray, " n"]
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    thumbnails: UInt8[np.ndarray, "t side side 3"]
    thumbnail_rows: Int[np.ndarray, " t"]
    quality: Mapping[str, float] = field(default_factory=dict)
    grid: Grid | None = None
    reference: Embedding2D | None = None
    meta: Meta = field(default_factory=Meta)
    each = ("values", "images", "names", "labels")

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value:.2f}" for name, value in self.quality.items())
        return f"Embedding2D({len(self)} images{f': {told}' if told else ''})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Embedding2D:
        """Image i alone, on the same map."""
        kept = self.thumbnail_rows == i % max(len(self), 1)
        small = {"thumbnails": self.thumbnails[kept], "thumbnail_rows": np.zeros(int(kept.sum()), np.int64)}
        return self.alone(i, **small, grid=None)
