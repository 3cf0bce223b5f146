"""One layer of an index: what each of its units does over the data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float32, Int, Int64
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import UnknownName
from pellucid.geometry import Placement
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.folds.extremes import Largest, Smallest, TopImages
from pellucid.index.folds.half import halved, restored
from pellucid.index.folds.histogram import Histogram
from pellucid.index.folds.per_class import ClassMeans
from pellucid.index.folds.sums import UnitStatistics
from pellucid.net.clips import Clip
from pellucid.sweep import Units
from pellucid.sweep.extract import Extractor
from pellucid.sweep.observed import Observes

if TYPE_CHECKING:
    from pellucid.index.index import Index


@dataclass(frozen=True, eq=False)
class LayerOfIndex:
    """A layer of an index. Its arrays are memory-mapped: only what is asked for is read."""

    index: Index
    number: int
    """Which of the index's layers it is."""

    @property
    def name(self) -> str:
        """Under which the index knows it."""
        return self._units.layers[self.number]

    @property
    def channels(self) -> int:
        """How many units it has."""
        return self._units.channels[self.number]

    @property
    def places(self) -> tuple[int, int]:
        """(rows, columns) of its maps; (1, 1) for a layer without places."""
        return self._units.places[self.number]

    @property
    def mapped(self) -> bool:
        """Whether its units have maps of more than one place."""
        return self.places != (1, 1)

    @property
    def placement(self) -> Placement | None:
        """Where its cells lie in the network's input; None for a layer without places."""
        return self._units.placements[self.number]

    @property
    def signed(self) -> bool:
        """Whether its activations can be negative."""
        return self._units.signed[self.number]

    @property
    def clip(self) -> Clip | None:
        """The activation with a ceiling that it ends in: its units are ranked by what that receives."""
        return self._units.clip(self.number)

    @property
    def units(self) -> slice:
        """Which of all units of the index are its own."""
        return self._units.span(self.number)

    def unit(self, channel: int) -> int:
        """The number of one unit among all of the index. Raises UnknownName with what would work."""
        if not 0 <= channel < self.channels:
            raise UnknownName(
                f"no unit {channel} in layer {self.name!r}: it has {self.channels}, 0 to {self.channels - 1}"
            )
        return self._units.first(self.number) + channel

    def top(self, channel: int, count: int = 9) -> TopImages:
        """The strongest images of one unit, fewer than `count` where no more are kept."""
        return self.index.read_fold(Largest).of(self.unit(channel), count)

    def bottom(self, channel: int, count: int = 9) -> TopImages:
        """The weakest images of one unit, weakest first. Raises PellucidError where none were kept."""
        return self.index.read_fold(Smallest).of(self.unit(channel), count)

    def strongest(self, count: int) -> TopImages:
        """(channels, count): the strongest images of every unit; −inf and −1 where there are no more."""
        return self.index.read_fold(Largest).of_layer(self.number, count)

    @property
    def moments(self) -> UnitStatistics:
        """Statistics of its units."""
        return self.index.moments.of(self.units)

    @property
    def sample(self) -> tuple[Int64[np.ndarray, " images"], Float32[np.ndarray, "images channels"]]:
        """Numbers of the sampled images, and the largest activation of each unit on each of them.

        The sample is random and the same for every layer. Raises PellucidError where none was kept.
        """
        return self.sample_of(None)

    def sample_of(
        self, most: int | None
    ) -> tuple[Int64[np.ndarray, " images"], Float32[np.ndarray, "images channels"]]:
        """The `sample`, of so many images at most: random ones, the same for every layer and every time."""
        return self.index.random_sample.of(self.number, most)

    def quantiles(self, channel: int, shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The values below which these shares of a unit's activations lie, at the sampled places."""
        found = self.index.read_fold(Histogram).quantiles(self.unit(channel), shares)
        # the places that are sampled may have more of the largest values, and a bin ends beyond them
        return np.asarray(np.minimum(found, float(self.moments.greatest[channel])))

    def histogram(self, channel: int) -> tuple[Float[np.ndarray, " edges"], Int[np.ndarray, " bins"]]:
        """(edges, counts) of a unit's activations at the sampled places; bins are the top bits of float32."""
        unit, held = self.unit(channel), self.index.read_fold(Histogram)
        return held.edges(unit), held.counts(unit)

    @property
    def has_class_means(self) -> bool:
        """Whether the means over the images of each class are kept."""
        return self.index.has(ClassMeans) and self.name in self.index.read_fold(ClassMeans).layers

    @property
    def class_means(self) -> Float32[np.ndarray, "classes channels"]:
        """Mean activation over places and over the images of each class; NaN for absent ones."""
        return self.index.read_fold(ClassMeans).of(self.name)

    @property
    def class_selectivity(self) -> Float[np.ndarray, " channels"]:
        """(best − mean of the others) / (best + mean of the others) of the class means; NaN where it is unknown."""
        return self.index.class_selectivity[self.units]

    @property
    def embedding(self) -> tuple[Int64[np.ndarray, " images"], NDArray[Any]]:
        """(numbers of the images, their rows): means over places, for a layer that is embedded.

        Rows are the float16 that lie on the disk, or float32 where those had to be divided to fit.
        """
        return self.index.read_fold(Embeddings).of(self.name)

    def means(self, pixels: Tensor) -> Float32[np.ndarray, "n channels"]:
        """Means over places for pixels (N, C, H, W) in 0..1, as `embedding` has those of the index's images: of the
        same image the same bits.
        """
        at_once, name = self.index.at_once, self.name
        of_layer = (self.channels,), (self.places,), (self.placement,)
        alone = Units((name,), *of_layer, {}, (self.signed,))
        extractor = Extractor(self.index.net, alone, Observes(means=frozenset({name})), 0, at_once)
        numbers = np.arange(len(pixels))
        return restored(*halved(extractor.extract(pixels, numbers, -np.ones_like(numbers), {}).means))

    @property
    def _units(self) -> Units:
        return self.index.plan.units
