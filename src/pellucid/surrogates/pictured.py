"""Small pictures for a proxy: what excites a unit most, and images as the network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from pellucid.index import Index
from pellucid.index.folds.thumbnails import framed
from pellucid.index.patches import exciting, patches
from pellucid.index.unit import Unit
from pellucid.surrogates.mirrored import Mirrored

SIDE = 96
"""Of a picture, in pixels."""


@dataclass
class Pictured:
    """Pictures as they are gathered, and for each thing that has some the rows of them."""

    index: Index
    mirrored: Mirrored
    found: list[UInt8[np.ndarray, "side side 3"]] = field(default_factory=list)
    _images: dict[int, int] = field(default_factory=dict)
    _units: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def image(self, row: int) -> int:
        """The row of the picture of one image."""
        if row not in self._images:
            self._images[row] = self._add(self.mirrored.examples.picture(row, SIDE))
        return self._images[row]

    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> tuple[int, ...]:
        """The rows of the pictures of some images."""
        return tuple(self.image(int(row)) for row in rows)

    def unit(self, feature: int, count: int) -> tuple[int, ...]:
        """What excites a unit most: the patches of its strongest images, as the index has them; of features of which it
        has no units, the images with the largest values among those that a proxy is fitted to."""
        key = feature, count
        if key not in self._units:
            mirrored, layer = self.mirrored, self.mirrored.layer
            if layer in self.index and self.index[layer].channels == mirrored.features.shape[1] and self.index.n_kept:
                unit = Unit(layer, feature)
                seen = patches(self.index, unit, exciting(self.index, unit, min(count, self.index.n_kept)))
                cut = [_cropped(one, box) for one, box in zip(seen.pictures, seen.boxes, strict=True)]
                self._units[key] = tuple(self._add(framed(one, SIDE)) for one in cut)
            else:
                inside = mirrored.inside
                best = inside[np.argsort(-mirrored.features[inside, feature], kind="stable")[:count]]
                self._units[key] = self.images(best)
        return self._units[key]

    def _add(self, pixels: UInt8[np.ndarray, "side side 3"]) -> int:
        self.found.append(pixels)
        return len(self.found) - 1

    @property
    def array(self) -> UInt8[np.ndarray, "p side side 3"]:
        """(P, side, side, 3)."""
        return np.stack(self.found) if self.found else np.zeros((0, SIDE, SIDE, 3), np.uint8)


def _cropped(picture: UInt8[np.ndarray, "h w c"], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """What of a picture lies in a box; all of it where that is hardly anything."""
    high, wide = picture.shape[:2]
    top, left = max(round(box[0]), 0), max(round(box[1]), 0)
    bottom, right = min(round(box[2]), high), min(round(box[3]), wide)
    part = picture[top:bottom, left:right] if bottom - top > 1 and right - left > 1 else picture
    return np.asarray(part if part.shape[2] == 3 else part[..., :1].repeat(3, 2))


def padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """(M, K) rows of pictures, −1 where there are fewer."""
    width = max((len(row) for row in rows), default=0)
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int64).reshape(len(rows), width)
