"""Where things lie: the cells of a map in the network's input, and that input in the original image.

Coordinates are pixel centers: pixel i spans [i − ½, i + ½].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pair = tuple[float, float]
"""(vertical, horizontal)"""
Floats = NDArray[np.float64]
"""Numbers in float64, of any shape."""
Where = TypeVar("Where", float, Floats)


@dataclass(frozen=True)
class Placement:
    """Where cell (i, j) of a map lies in the network's input: centered on start + jump · (i, j), in pixels.

    `field` is the height and width of the receptive field: a box around the cell's center that holds all pixels
    which can change the cell. Behind a gate that looks at the whole image (squeeze-and-excitation) that is the
    whole image, from every cell; `local` is then the height and width of what comes there without passing the
    gate, and elsewhere the same as the field (None says so too). `exact` is False where no rule fits the layer and
    the map is stretched over the image instead. `grid` holds the centers of all rows and of all columns where
    they are not evenly spaced.
    """

    start: Pair
    jump: Pair
    field: Pair
    exact: bool = True
    grid: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    local: Pair | None = None

    @property
    def patch(self) -> Pair:
        """Height and width of what each cell looks at: its field, without what every cell sees through a gate."""
        return self.local or self.field

    @property
    def gated(self) -> bool:
        """Whether pixels outside the `patch` can change a cell, through a gate that sees the whole image."""
        return self.local is not None and self.local != self.field

    def centers(self, rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The centers of all rows and of all columns, in pixels of the network's input."""
        if self.grid is not None:
            return np.asarray(self.grid[0]), np.asarray(self.grid[1])
        return (
            self.start[0] + self.jump[0] * np.arange(rows, dtype=np.float64),
            self.start[1] + self.jump[1] * np.arange(columns, dtype=np.float64),
        )

    @classmethod
    def pixels(cls) -> Placement:
        """The placement of a map that has one value per pixel."""
        return cls((0.0, 0.0), (1.0, 1.0), (1.0, 1.0))

    @classmethod
    def at(
        cls, rows: NDArray[np.float64], columns: NDArray[np.float64], field: Pair, local: Pair | None = None
    ) -> Placement:
        """Cells at given centers, evenly spaced or not."""
        jump = tuple(float(c[1] - c[0]) if len(c) > 1 else f for c, f in zip((rows, columns), field, strict=True))
        start = (float(rows[0]), float(columns[0]))
        grid = (tuple(rows.tolist()), tuple(columns.tolist()))
        return cls(start, (jump[0], jump[1]), field, grid=grid, local=local)

    @classmethod
    def stretched(cls, rows: int, columns: int, height: int, width: int, field: Pair | None = None) -> Placement:
        """A map spread evenly over height × width pixels, as tools do that do not know the layer's geometry."""
        jump = (height / rows, width / columns)
        start = ((jump[0] - 1) / 2, (jump[1] - 1) / 2)
        return cls(start, jump, field or (float(height), float(width)), exact=False)


@dataclass(frozen=True)
class View:
    """How the network's input was cut from the original image.

    The input is height × width pixels and shows the box (top, left, bottom, right) of the original, in pixels
    of the original counted from its upper left corner (edges, not centers; it may reach outside).
    """

    size: tuple[int, int]
    box: tuple[float, float, float, float]
    original: tuple[int, int]

    @classmethod
    def whole(cls, height: int, width: int) -> View:
        """The image as it is."""
        return cls((height, width), (0.0, 0.0, float(height), float(width)), (height, width))

    def to_original(self, y: Where, x: Where) -> tuple[Where, Where]:
        """A point of the network's input (pixel-center coordinates) in the original image, or arrays of them."""
        top, left, bottom, right = self.box
        height, width = self.size
        return (
            top + (y + 0.5) * (bottom - top) / height - 0.5,
            left + (x + 0.5) * (right - left) / width - 0.5,
        )


def between(centers: NDArray[np.float64], points: NDArray[np.float64], *, nearest: bool = False) -> NDArray[np.float64]:
    """(points, cells) weights that read cells at `centers` at other `points` of one axis; every row sums to 1.

    Linear between centers, the edge's value outside the outermost; or the nearest cell.
    """
    if len(centers) == 1:
        return np.ones((len(points), 1))
    right = np.searchsorted(centers, points).clip(1, len(centers) - 1)
    gap = centers[right] - centers[right - 1]  # none between cells that see the same, as on both sides of a fold
    share = ((points - centers[right - 1]) / np.where(gap == 0, 1, gap)).clip(0, 1)
    if nearest:
        share = np.rint(share)
    weights = np.zeros((len(points), len(centers)))
    rows = np.arange(len(points))
    weights[rows, right - 1] += 1 - share
    weights[rows, right] += share
    return weights
