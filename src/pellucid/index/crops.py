"""Crops of the strongest images of a unit, and its activation when other pixels are put in their place.

The unit is always read at the same place of the same image. Only what lies in its receptive field is exchanged.
Small fields are run in a window of the image instead of all of it, which is the same where windows are cut along
the layer's grid: it is believed only as long as the untouched window repeats the activation that the index holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pellucid.described import Default
from pellucid.errors import BadNetwork, PellucidError
from pellucid.images import as_float
from pellucid.index.folds.extremes import TopImages
from pellucid.index.index import Index
from pellucid.index.patches import field
from pellucid.index.unit import Unit
from pellucid.progress import steps

Edges = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels of the network's input."""
USUAL = 100
"""Strongest images that a statistic of a unit is taken over, as in the papers."""
Strongest = Annotated[
    int | None,
    Field(ge=1, description="number of strongest images", examples=[20]),
    Default("100, or all that the index keeps"),
]
_WORTH = 0.85  # of the image: larger windows save too little
_SAME = 1e-3  # of the activation: what a window may differ by


@dataclass(frozen=True, eq=False)
class Spot:
    """Where a unit is strongest in one image."""

    pixels: Tensor
    """(C, H, W) in 0..1: the image as the network sees it."""
    box: Edges
    """What the strongest cell looks at (`Placement.patch`); it may reach outside."""
    place: int
    value: float
    image: int

    @property
    def inside(self) -> Edges:
        """What of the receptive field lies in the image."""
        high, wide = self.pixels.shape[-2:]
        top, left, bottom, right = self.box
        return max(top, 0), max(left, 0), min(bottom, high), min(right, wide)

    def cut(self) -> tuple[Tensor, Tensor]:
        """(C, h, w) what lies in the field, zero outside the image, and (h, w) which of it is inside."""
        top, left, bottom, right = self.box
        high, low, under, over = self.inside
        crop = self.pixels.new_zeros(len(self.pixels), bottom - top, right - left)
        mask = self.pixels.new_zeros(bottom - top, right - left)
        if high < under and low < over:
            there = slice(high - top, under - top), slice(low - left, over - left)
            crop[(slice(None), *there)] = self.pixels[:, high:under, low:over]
            mask[there] = 1
        return crop, mask

    def with_crop(self, inside: Tensor) -> Tensor:
        """(..., C, H, W): the image with what is given (..., C, h, w) in the place of what the unit saw of it."""
        top, left, bottom, right = self.inside
        whole = self.pixels.expand(*inside.shape[:-3], *self.pixels.shape).clone()
        whole[..., top:bottom, left:right] = inside.to(whole)
        return whole


def strongest(index: Index, unit: Unit, count: int | None = None) -> TopImages:
    """The strongest images of a unit, as far as they excite it. Raises PellucidError where none does."""
    count = min(USUAL, index.n_kept) if count is None else index.enough(count)
    top = index[unit.layer].top(unit.channel, count)
    above = top.values > 0
    if not above.any():
        raise PellucidError(f"{unit} is above zero on none of the {index.n_images} images: nothing excites it")
    return TopImages(top.values[above], top.images[above], top.places[above])


def seen(index: Index, image: int) -> Tensor | None:
    """(C, H, W) in 0..1: an image of the index as its network saw it; None where it cannot be read any more."""
    found = index.readable(image)
    return None if found is None else as_float(index.preprocess.prepare(found).pictures[0])


def box_of(index: Index, layer: str, place: int, size: tuple[int, int]) -> Edges:
    """The receptive field of one cell in whole pixels."""
    asked = index[layer]
    top, left, bottom, right = (floor(edge + 0.5) for edge in field(asked.placement, asked.places, place, size))
    return top, left, bottom, right


def spots(index: Index, unit: Unit, top: TopImages, what: str = "images") -> Iterator[Spot]:
    """What the unit saw in each of these images, one by one; those that cannot be read any more are left out."""
    found = zip(top.images.tolist(), top.places.tolist(), top.values.tolist(), strict=True)
    lost = 0
    for image, place, value in steps(found, what, len(top.values)):
        pixels = seen(index, image)
        if pixels is None:
            lost += 1
            continue
        box = box_of(index, unit.layer, place, (pixels.shape[-2], pixels.shape[-1]))
        spot = Spot(pixels, box, place, value, image)
        top_edge, left, bottom, right = spot.inside
        if top_edge < bottom and left < right:  # else it saw nothing but padding
            yield spot
    if lost and lost == len(top.values):
        raise PellucidError(f"none of the strongest images of {unit} can be read any more")


class Asked:
    """Activation of one unit at a fixed cell, for perturbed versions of an image."""

    def __init__(self, index: Index, unit: Unit) -> None:
        layer = index[unit.layer]
        self.net, self.channel = index.net, unit.channel
        self.layer, self.places, self.placement = layer.name, layer.places, layer.placement
        self.windows = True
        self.sizes: set[tuple[int, int]] = set()

    def __call__(self, spot: Spot, changed: Tensor) -> tuple[float, NDArray[np.float64]]:
        """The activation on the image itself, and (K,) those on its changed versions (K, C, H, W)."""
        every = torch.cat([spot.pixels[None].to(changed), changed])
        window = self._window(spot)
        if window is not None:
            start, side, place = window
            part = every[..., start[0] : start[0] + side[0], start[1] : start[1] + side[1]]
            found = self._run(part.contiguous(), place)
            if found is not None and abs(found[0] - spot.value) <= _SAME * abs(spot.value):
                return float(found[0]), found[1:]
            self.windows = False  # a network that does not see places alone: all of every image from now on
        found = self._run(every, (spot.place // self.places[1], spot.place % self.places[1]))
        if found is None:
            raise PellucidError(f"layer {self.layer!r} has other places now than in the index")
        return float(found[0]), found[1:]

    def _run(self, pixels: Tensor, place: tuple[int, int]) -> NDArray[np.float64] | None:
        """(K,) the unit at (row, column); None where the map has no such cell."""
        size, values = (pixels.shape[-2], pixels.shape[-1]), []
        for some in pixels.split(self.net.chunk(size, grad=False)):
            maps = self.net.run(some, layers=[self.layer], stop=True).at[self.layer][:, self.channel].detach()
            maps = maps if maps.dim() == 3 else maps.reshape(len(some), -1, 1)
            if place[0] >= maps.shape[1] or place[1] >= maps.shape[2]:
                return None
            values.append(maps[:, place[0], place[1]].double().cpu().numpy())
        return np.concatenate(values)

    def _window(self, spot: Spot) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None:
        """(where it begins, its size, the place in its map) of a window that holds all that the unit sees."""
        placement = self.placement
        if not self.windows or placement is None or placement.grid is not None or not placement.exact:
            return None
        if placement.gated:  # a window would change what comes through the gate
            return None
        cell = spot.place // self.places[1], spot.place % self.places[1]
        starts, sides, places = [], [], []
        for axis in (0, 1):
            whole, jump = spot.pixels.shape[1 + axis], round(placement.jump[axis])
            if jump != placement.jump[axis]:
                return None
            # As long as the image but for a multiple of the jump, so that padding falls on the same cells.
            side = whole - jump * ((whole - ceil(placement.field[axis]) - jump) // jump)
            if side >= whole:
                side, start = whole, 0
            else:
                start = min(max(spot.box[axis], 0) // jump * jump, whole - side)
            starts.append(start)
            sides.append(side)
            places.append(cell[axis] - start // jump)
        if sides[0] * sides[1] > _WORTH * spot.pixels.shape[1] * spot.pixels.shape[2]:
            return None
        if not self._taken((sides[0], sides[1])):
            self.windows = False
            return None
        return (starts[0], starts[1]), (sides[0], sides[1]), (places[0], places[1])

    def _taken(self, size: tuple[int, int]) -> bool:
        """Whether the network takes images of that size: heads often do not. An error that does not repeat is raised
        again.
        """
        if size in self.sizes:
            return True
        try:
            self.net.layers(size)
        except BadNetwork as error:
            try:
                self.net.layers(size)
            except BadNetwork:
                return False
            raise error
        self.sizes.add(size)
        return True
