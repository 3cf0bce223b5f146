"""Receptive fields by tracing: every operation tells which cells of its input each cell of its output sees.

For each tensor and each image axis we keep, per cell, the first and last pixel that can reach it. Windows
that hang over the border continue the grid there, so that the field of a border cell is the theoretical one.
Two intervals are kept: `near`, which ignores what comes from everywhere alike (squeeze-and-excitation gates,
normalization over the image) and places the cell, and `full`, which has everything and is the field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int64]
Spans = NDArray[np.float64]
"""(2, n): first and last pixel for each of n cells."""
Tag = Literal["y", "x", "n", "t", "o", ""]
"""What a factor of a dimension is: rows, columns, images, tokens (all places of an image one after the other, behind
others such as a class token), places of another operand (the keys of attention), or anything else."""
AXES: tuple[Tag, Tag] = ("y", "x")
Factors = tuple[tuple[Tag, int], ...]
"""What one dimension of a tensor is made of: several factors after a reshape has merged dimensions."""


@dataclass(frozen=True)
class Axis:
    """One axis of the image, as the cells of a tensor see it."""

    place: Spans
    full: Spans
    jump: float

    @classmethod
    def pixels(cls, n: int) -> Axis:
        spans = np.stack([np.arange(n, dtype=np.float64)] * 2)
        return cls(spans, spans, 1.0)

    @property
    def centers(self) -> NDArray[np.float64]:
        middle: NDArray[np.float64] = self.place.mean(axis=0)
        return middle

    def windows(self, first: Ints, last: Ints, stride: float) -> Axis:
        """New cells that see the old cells first..last each, which may lie outside."""
        place = np.stack([self._at(self.place[0], first), self._at(self.place[1], last)])
        full = np.stack([self._at(self.full[0], first), self._at(self.full[1], last)])
        return Axis(place, full, self.jump * stride)

    def _at(self, edge: NDArray[np.float64], index: Ints) -> NDArray[np.float64]:
        inside = np.clip(index, 0, len(edge) - 1)
        placed: NDArray[np.float64] = edge[inside] + self.jump * (index - inside)
        return placed

    def pooled(self) -> Axis:
        """One cell that sees everything."""
        low, high = (f(self.place) for f in (np.min, np.max))
        both = np.array([[low], [high]])
        return Axis(both, np.array([[self.full.min()], [self.full.max()]]), float(high - low + 1))

    def everywhere(self) -> Axis:
        """The same places, but each cell also depends on all others."""
        full = np.stack([np.full(self.full.shape[1], f(self.full)) for f in (np.min, np.max)])
        return replace(self, full=full)

    def repeated(self, n: int) -> Axis:
        """So many cells, each of which may see all that this axis sees: where it is not known which sees what."""
        pooled = self.pooled()
        return Axis(pooled.place.repeat(n, axis=1), pooled.full.repeat(n, axis=1), pooled.jump / n)

    def joined(self, other: Axis) -> Axis:
        """Cells that see what either sees; a single cell against many is a gate and moves no place."""
        if self.place.shape[1] < other.place.shape[1]:
            return other.joined(self)
        if 1 < other.place.shape[1] < self.place.shape[1]:  # another grid: which of its cells comes here is not known
            other = other.pooled()
        full = np.stack([np.minimum(self.full[0], other.full[0]), np.maximum(self.full[1], other.full[1])])
        if other.place.shape[1] < self.place.shape[1]:
            return replace(self, full=full)
        place = np.stack([np.minimum(self.place[0], other.place[0]), np.maximum(self.place[1], other.place[1])])
        return Axis(place, full, self.jump)


@dataclass(frozen=True)
class Provenance:
    """A tensor's place in the image: what its dimensions are made of, and both axes."""

    dims: tuple[Factors, ...]
    y: Axis
    x: Axis
    skip: int = 0
    """Tokens ahead of those that are places, in the dimension that is "t"."""
    mixed: bool = False
    """Whether it is what attention gave, from all places, and has not been added to anything of this place yet."""
    lost: bool = False
    """Whether an operation on the way is not known: the axes then have cells, but where these lie is not known."""

    def dim(self, tag: Tag) -> int | None:
        """The dimension that is exactly this axis, if there is one."""
        for i, factors in enumerate(self.dims):
            if [t for t, n in factors if t or n > 1] == [tag]:
                return i
        return None

    def axis(self, dim: int) -> Tag | None:
        """The axis that this dimension is, if any."""
        return next((tag for tag in AXES if self.dim(tag) == dim), None)

    def has(self, dim: int, tag: Tag) -> bool:
        """Whether the axis is part of this dimension."""
        return any(t in (tag, "t") for t, _ in self.dims[dim])

    def placed(self, dim: int) -> bool:
        """Whether a part of this dimension is an axis of the image."""
        return any(self.has(dim, tag) for tag in AXES)

    @property
    def tokens(self) -> int | None:
        """The dimension that holds all places of the image in rows, behind `skip` others, if there is one."""
        for i, factors in enumerate(self.dims):
            if [t for t, n in factors if t or n > 1] in (["t"], ["y", "x"]):
                return i
        return None

    def moved(self, tag: Tag, axis: Axis, n: int) -> Provenance:
        """The axis with other cells."""
        dims = tuple(tuple((t, n if t == tag else size) for t, size in factors) for factors in self.dims)
        named: dict[str, Any] = {tag: axis}
        return replace(self, dims=dims, **named)

    def without(self, tag: Tag) -> Provenance:
        """The axis seen as a whole by every element; its dimension becomes an ordinary one."""
        rest: dict[Tag, Tag] = {tag: "", "t": ""}
        dims = tuple(tuple((rest.get(t, t), size) for t, size in factors) for factors in self.dims)
        pooled: dict[str, Any] = {tag: getattr(self, tag).pooled()}
        return replace(self, dims=dims, **pooled)


def of_input(pixels: Tensor) -> Provenance:
    """The image itself: (N, C, H, W)."""
    n, c, h, w = pixels.shape
    return Provenance(((("n", n),), (("", c),), (("y", h),), (("x", w),)), Axis.pixels(h), Axis.pixels(w))


def factors_size(factors: Factors) -> int:
    size = 1
    for _, n in factors:
        size *= n
    return size
