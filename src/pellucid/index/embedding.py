"""Images as rows of numbers: what a layer makes of each, the mean over its places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.index.index import Index
from pellucid.index.layer import LayerOfIndex
from pellucid.index.search import squared
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.rng import generator

EmbeddedLayer = Annotated[
    str | None,
    Field(description="layer whose features are compared; the index must have embedded it"),
    Default("the last embedded layer"),
]
SIDE = 64
"""Of a thumbnail, in pixels."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The images of an index by what one layer makes of them."""

    layer: str
    images: NDArray[np.int64]
    """(N,) numbers of the images in the index."""
    values: Float[np.ndarray, "n channels"]
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def squares(self) -> Float[np.ndarray, " n"]:
        """The squared length of every row."""
        return squared(self.values)


def embedding_of(index: Index, layer: str | None, least: int = 1) -> Embedding:
    """The rows that an index keeps of a layer, as float32; of those that are not finite it is said that they are out.

    Raises PellucidError where fewer than `least` are left. Who asks the same index object again need not wait again.
    """
    asked = index[index.embedded[-1] if layer is None else layer]
    found = index.remembered(("embedding", asked.name), lambda: _finite(asked))
    if len(found) < least:
        raise PellucidError(f"{len(found)} images in the index: at least {least} are needed")
    return found


def _finite(layer: LayerOfIndex) -> Embedding:
    images, values = layer.embedding
    found = np.asarray(values, np.float32)
    good = np.isfinite(found).all(1)
    lost = int((~good).sum())
    notes = Note.many("values", [f"{lost} images whose activations are not finite are left out"] if lost else [])
    return Embedding(layer.name, np.asarray(images)[good], found[good], notes)


def seen_by(index: Index, images: Images, layer: str) -> Float[np.ndarray, "n channels"]:
    """The rows of other images, made as those of the index are: an image of the index has the same bits."""
    found = []
    for one in images:
        found.append(index[layer].means(index.net.prepare(one).pixels))
        if not np.isfinite(found[-1]).all():
            raise PellucidError(f"{one.ids[0]!r}: what layer {layer!r} makes of it is not finite")
    return np.concatenate(found)


def thumbnail(index: Index, picture: Images | None, side: int = SIDE) -> UInt8[np.ndarray, "side side 3"]:
    """What the network sees of an image, small: whole, on gray where it is not square; gray where there is none."""
    if picture is None:
        return np.full((side, side, 3), 127, np.uint8)
    pixels = index.net.prepare(picture).shown(0, seen=True)
    scale = side / max(pixels.shape[:2])
    high, wide = (max(round(length * scale), 1) for length in pixels.shape[:2])
    small = np.asarray(Image.fromarray(pixels).resize((wide, high), Image.Resampling.BOX if scale < 0.5 else None))
    canvas = np.full((side, side, 3), 127, np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    canvas[top : top + high, left : left + wide] = small
    return canvas


def thumbnails(
    index: Index, images: NDArray[np.int64], most: int, seed: int, side: int = SIDE
) -> tuple[UInt8[np.ndarray, "t side side 3"], NDArray[np.int64]]:
    """(small images, of which rows they are): of all images that can be read, or of so many, drawn at random."""
    which = np.arange(len(images))
    if len(images) > most:
        which = np.sort(generator(seed, "thumbnails").choice(len(images), most, replace=False))
    found, good = [], []
    for i in steps(which.tolist(), "thumbnails"):
        picture = index.readable(int(images[i]))
        if picture is not None:
            found.append(thumbnail(index, picture, side))
            good.append(i)
    return (np.stack(found) if found else np.zeros((0, side, side, 3), np.uint8)), np.array(good, np.int64)
