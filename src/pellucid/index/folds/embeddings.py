"""What is kept of every image: a row of numbers of chosen layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.errors import unknown
from pellucid.index.folds.half import halved, restored
from pellucid.sweep.fold import Held, OfEveryImage, Scope
from pellucid.sweep.observed import Batch, Observes


@dataclass(frozen=True, eq=False)
class RowsOfLayers:
    """Rows of numbers of some layers, as an index holds them."""

    layers: tuple[str, ...]
    held: Held

    def of(self, layer: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """(numbers of the images, their rows). Raises UnknownName for a layer of which none are kept.

        Rows are the float16 that lie on the disk, or float32 where those had to be divided to fit.
        """
        if layer not in self.layers:
            raise unknown("embedded layer", layer, self.layers)
        rows, power = self.held[f"at.{layer}"], self.held[f"power.{layer}"]
        rows = restored(rows, power) if power.any() else rows
        there = np.nonzero(self.held["there"][:, 0])[0]
        return there, rows if len(there) == len(rows) else rows[there]


class _RowsOfLayers(OfEveryImage[RowsOfLayers]):
    """A row of float16 for each image; NaN where there is none because it could not be read. A row that float16 does
    not hold well is divided by a power of two.
    """

    @property
    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """Of which rows are kept."""

    @abstractmethod
    def values(self, batch: Batch) -> NDArray[np.float32]:
        """(N, units): what is kept of them."""

    def fits(self, scope: Scope) -> None:
        scope.units.named(self.layers)

    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        units = scope.units
        rows = {f"at.{layer}": (units.channels[units.layer(layer)], np.dtype(np.float16)) for layer in self.layers}
        return {**rows, **{f"power.{layer}": (1, np.dtype(np.int16)) for layer in self.layers}}

    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        values, found = self.values(batch), dict[str, NDArray[Any]]()
        for layer in self.layers:
            found[f"at.{layer}"], found[f"power.{layer}"] = halved(values[:, scope.units.of([layer])])
        return batch.images, found

    def read(self, held: Held) -> RowsOfLayers:
        return RowsOfLayers(self.layers, held)


@final
@dataclass(frozen=True)
class Embeddings(_RowsOfLayers):
    """The means over places of chosen layers, a row for each image."""

    name: ClassVar[str] = "embeddings"
    absent: ClassVar[str] = "the index embeds no layer: make it with --embed NAME"
    embed: Annotated[
        tuple[str, ...] | None,
        Field(description="layers of which a row is kept for every image; by default what the head reads"),
    ] = None

    @property
    def layers(self) -> tuple[str, ...]:
        return self.embed or ()

    @property
    def observes(self) -> Observes:
        return Observes(means=frozenset(self.layers))

    def settled(self, scope: Scope) -> Embeddings:
        return replace(self, embed=scope.units.named((scope.units.before_head,) if self.embed is None else self.embed))

    def values(self, batch: Batch) -> NDArray[np.float32]:
        return batch.means


@final
@dataclass(frozen=True)
class Maxima(_RowsOfLayers):
    """The largest activations of chosen layers, a row for each image."""

    name: ClassVar[str] = "pooled"
    absent: ClassVar[str] = "the index keeps the largest activations of no layer: make it with --pool NAME"
    pool: Annotated[
        tuple[str, ...] | None,
        Field(description="layers whose largest activations are kept of every image; by default none"),
    ] = None

    @property
    def layers(self) -> tuple[str, ...]:
        return self.pool or ()

    def settled(self, scope: Scope) -> Maxima | None:
        return replace(self, pool=scope.units.named(self.pool)) if self.pool else None

    def values(self, batch: Batch) -> NDArray[np.float32]:
        return batch.maxima
