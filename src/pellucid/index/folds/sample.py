"""All units side by side on the same few images, drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.index.folds.half import halved, restored
from pellucid.sweep.fold import Held, Rows, Scope
from pellucid.sweep.observed import Batch


@dataclass(frozen=True, eq=False)
class Sample:
    """The largest activations on the sampled images, as an index holds them."""

    chosen: NDArray[np.int64]
    """Numbers of the sampled images, in rising order."""
    held: Held

    def of(self, layer: int, most: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(P,) numbers of the images that could be read, and (P, channels) a layer's largest activations on them.

        With `most` of so many of the sampled images, random ones and always the same: the others are not read.
        """
        mine, rows = self.held.scope.units.span(layer), self._rows(most)
        return self.chosen[rows], restored(self._maxima[rows, mine], self._power[rows, layer : layer + 1])

    def _rows(self, most: int | None) -> NDArray[np.int64]:
        """Which rows are there, of all or of so many."""
        rows = np.arange(len(self.chosen), dtype=np.int64)
        if most is not None and most < len(rows):
            rows = np.searchsorted(self.chosen, self.held.scope.drawn(most)).astype(np.int64)
        return rows[self._there[rows]]

    @cached_property
    def _there(self) -> NDArray[np.bool_]:
        return np.asarray(self.held["there"][:, 0] > 0)

    @cached_property
    def _maxima(self) -> NDArray[np.float16]:
        return np.asarray(self.held["maxima"])

    @cached_property
    def _power(self) -> NDArray[np.int16]:
        return np.asarray(self.held["power"])


@final
@dataclass(frozen=True)
class RandomSample(Rows[Sample]):
    """The largest activations of every unit on a random sample of the images, a row of float16 for each of them; those
    of each layer divided by a power of two.

    For what needs units side by side on the same images: correlations, matching networks, samples of every decile.
    """

    name: ClassVar[str] = "probe"
    absent: ClassVar[str] = "the index keeps no probe: make it with --probe 10000"
    sample: Annotated[
        int, Field(ge=0, description="random images of which every unit's largest activation is kept")
    ] = 10_000

    def settled(self, scope: Scope) -> RandomSample | None:
        return self if self.sample else None

    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {
            "maxima": (len(scope.units), np.dtype(np.float16)),
            "power": (len(scope.units.layers), np.dtype(np.int16)),
        }

    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        mine = scope.drawn(self.sample)[self.position(scope, batch.images)] == batch.images
        values = batch.maxima[mine]
        maxima = np.empty(values.shape, np.float16)
        power = np.empty((len(values), len(scope.units.layers)), np.int16)
        for i in range(len(scope.units.layers)):
            of_layer = scope.units.span(i)
            maxima[:, of_layer], power[:, i : i + 1] = halved(values[:, of_layer], always=True)
        return batch.images[mine], {"maxima": maxima, "power": power}

    def height(self, scope: Scope) -> int:
        return len(scope.drawn(self.sample))

    def position(self, scope: Scope, images: NDArray[np.int64]) -> NDArray[np.int64]:
        chosen = scope.drawn(self.sample)
        return np.minimum(np.searchsorted(chosen, images), len(chosen) - 1)

    def read(self, held: Held) -> Sample:
        return Sample(held.scope.drawn(self.sample), held)
