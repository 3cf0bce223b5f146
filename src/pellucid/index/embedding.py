"""Images as rows of numbers: what a layer makes of each, the mean over its places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import Field

from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.index.index import Index
from pellucid.index.layer import LayerOfIndex
from pellucid.index.search import mean_of, squared
from pellucid.notes import Note

EmbeddedLayer = Annotated[
    str | None,
    Field(description="layer whose features are compared; the index must have embedded it"),
    Default("the last embedded layer"),
]


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

    @cached_property
    def center(self) -> Float[np.ndarray, " channels"]:
        """The mean of all rows, in float64."""
        return mean_of(self.values)

    @cached_property
    def spread(self) -> Float[np.ndarray, " n"]:
        """The squared distance of every row from the center."""
        return squared(self.values, self.center)


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
