"""An index that is read: every unit of every layer over a data set, without running the network again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import PellucidError, Refused
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.folds.extremes import Largest, Smallest
from pellucid.index.folds.labels import ClassLabels
from pellucid.index.folds.per_class import ClassMeans
from pellucid.index.folds.sample import RandomSample, Sample
from pellucid.index.folds.sums import ExactSums, UnitStatistics
from pellucid.index.folds.thumbnails import SIDE, KeptThumbnails, Thumbnails, framed
from pellucid.index.layer import LayerOfIndex
from pellucid.index.opened import Opened
from pellucid.index.thumbnails import small
from pellucid.notes import Note, say
from pellucid.sweep.store import Store


@dataclass(frozen=True, eq=False, repr=False)
class Index(Opened):
    """A finished index. `index["blocks.6"]` is what it holds of a layer."""

    written, samples, format = "INDEX", ("photos.index", "other.index"), "index"

    @classmethod
    def of(cls, value: IndexLike) -> Index:
        """The index in a folder."""
        return super().of(value)

    def __repr__(self) -> str:
        plan = self.plan
        what = f"{plan.images} images, {len(plan.units)} units of {len(plan.units.layers)} layers"
        return "\nnote: ".join((f"Index({str(self.store.folder)!r}: {what})", *map(str, self.notes)))

    def __getitem__(self, layer: str) -> LayerOfIndex:
        """A layer, by its name or the name of the stage that it ends. Raises UnknownName with the nearest."""
        return LayerOfIndex(self, self.plan.units.layer(layer))

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __contains__(self, layer: object) -> bool:
        return layer in self.layers or layer in self.plan.units.aliases

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in the order of execution."""
        return self.plan.units.layers

    @property
    def stages(self) -> tuple[str, ...]:
        """The outputs of the network's stages (layer4, blocks.6) and the last layer with places; where it has no
        stages, all with places. Raises Refused where there is none.
        """
        with_places = [name for name in self.layers if self[name].mapped]
        if not with_places:
            raise Refused("no layer of the index has places: make it with --layers that have")
        inside = [*self.layers, *self.plan.units.aliases]
        found = [name for name in with_places if any(other.startswith(f"{name}.") for other in inside)]
        return tuple(dict.fromkeys([*found, with_places[-1]])) if found else tuple(with_places)

    @property
    def n_units(self) -> int:
        """Units of all layers."""
        return len(self.plan.units)

    @property
    def n_kept(self) -> int:
        """Strongest images kept of every unit."""
        return self.read_fold(Largest).many if self.has(Largest) else 0

    @property
    def n_weakest(self) -> int:
        """Weakest images kept of every unit; 0: none."""
        return self.read_fold(Smallest).many if self.has(Smallest) else 0

    def enough(self, count: int, option: str = "count") -> int:
        """The count. Raises PellucidError where the index keeps fewer of the strongest images."""
        if count > self.n_kept:
            raise PellucidError(f"{option}={count}: the index keeps the {self.n_kept} strongest images of every unit")
        return count

    @property
    def has_sample(self) -> bool:
        """Whether the largest activations on a random sample of the images are kept."""
        return self.has(RandomSample)

    @cached_property
    def random_sample(self) -> Sample:
        """The largest activations of all units on a random sample of the images. Raises PellucidError without one."""
        return self.read_fold(RandomSample)

    @property
    def embedded(self) -> tuple[str, ...]:
        """Layers of which a row for every image is kept. Raises PellucidError where there is none."""
        layers = self.read_fold(Embeddings).layers
        if not layers:
            raise PellucidError(Embeddings.absent)
        return layers

    @property
    def embedding(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The `embedding` of the last layer that is embedded."""
        return self[self.embedded[-1]].embedding

    @cached_property
    def kept_thumbnails(self) -> KeptThumbnails | None:
        """The small pictures that the sweep kept; None where the index was made without them."""
        return self.read_fold(Thumbnails) if self.has(Thumbnails) else None

    def thumbnails(self, images: NDArray[np.int64] | Sequence[int], side: int = SIDE) -> UInt8[np.ndarray, "n s s 3"]:
        """What the network saw of these images, small: (N, side, side, 3) in 0..255, whole, on gray where it is not
        square.

        They are those that the sweep kept, where they are as large; else the images are read, and of those that cannot
        be read any more what is kept is enlarged. One of which there is nothing is gray. Raises PellucidError where the
        images are elsewhere by now and the index keeps none, UnknownName for an image that it does not have.
        """
        found = [framed(small(self, self.image(int(one)), side), side) for one in images]
        return np.stack(found) if found else np.zeros((0, side, side, 3), np.uint8)

    def called(self, images: NDArray[np.int64]) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
        """(names of images, names of their classes). Where the images are elsewhere by now, but the index keeps small
        ones to show, the names are numbers, and a note says so.
        """
        try:
            return self.names(images), self.class_names(images)
        except (PellucidError, OSError):
            if self.kept_thumbnails is None:
                raise
        way = f"name where they are with {self.ways['images']}"
        say(Note("unreadable", f"the images of the index are elsewhere: their names are not known here; {way}"))
        names = tuple(f"image {i}" for i in images.tolist())
        return names, self.class_names(images) if self.has(ClassLabels) else (None,) * len(images)

    @cached_property
    def moments(self) -> UnitStatistics:
        """Statistics of all units, layer after layer."""
        return self.read_fold(ExactSums)

    @cached_property
    def class_selectivity(self) -> NDArray[np.float64]:
        """(units,): (μ_max − μ_others) / (μ_max + μ_others) over all classes; NaN without labels."""
        return self.read_fold(ClassMeans).selectivity if self.has(ClassMeans) else np.full(self.n_units, np.nan)

    @cached_property
    def best_class(self) -> tuple[str, ...]:
        """For each unit the class with the largest mean activation; empty where nothing excites it."""
        if not self.has(ClassMeans):
            return ("",) * self.n_units
        return tuple(self.classes[best] if best >= 0 else "" for best in self.read_fold(ClassMeans).best.tolist())


IndexLike: TypeAlias = Index | Store | str | Path
"""An index, or the folder that it lies in."""


def _given(value: IndexLike) -> Any:
    """For pydantic: an index from what names one; anything else is left for it to refuse."""
    return Index.of(value) if isinstance(value, (Store, str, Path)) else value


IndexOption = Annotated[InstanceOf[Index], BeforeValidator(_given)]
"""An option that takes an index, besides those that a method asks about."""
