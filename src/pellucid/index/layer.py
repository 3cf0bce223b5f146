"""One layer of an index: what each of its units does over the data set."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float32, Int, Int64
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError, UnknownName, unknown
from pellucid.geometry import Placement
from pellucid.net.clips import Clip
from pellucid.sweep.eye import Eye
from pellucid.sweep.fold import Units
from pellucid.sweep.folds.histogram import counted, edges, quantiles
from pellucid.sweep.folds.rows import halved, restored
from pellucid.sweep.store import BadStore

if TYPE_CHECKING:
    from pellucid.index.index import Index


@dataclass(frozen=True, eq=False)
class TopImages:
    """The strongest images of one unit, best first: value, number of the image, place in the map (row by row)."""

    values: NDArray[np.float32]
    images: NDArray[np.int64]
    places: NDArray[np.int32]
    before: NDArray[np.float32] | None = None
    """What they are ranked by, where the activation has a ceiling that cuts the values off: what it received."""


@dataclass(frozen=True, eq=False)
class UnitStatistics:
    """Statistics of units, one number for each: `mean` and `sd` of the activations at the sampled places; of the
    largest activation in each image `max_mean`, `max_sd`, `least`, `greatest`; in how many of `count` images it is
    zero (`silent`), and how many images were `left_out` because an activation was not finite.
    """

    count: Int64[np.ndarray, " units"]
    left_out: Int64[np.ndarray, " units"]
    silent: Int64[np.ndarray, " units"]
    mean: Float[np.ndarray, " units"]
    sd: Float[np.ndarray, " units"]
    max_mean: Float[np.ndarray, " units"]
    max_sd: Float[np.ndarray, " units"]
    least: Float[np.ndarray, " units"]
    greatest: Float[np.ndarray, " units"]

    @property
    def silent_share(self) -> Float[np.ndarray, " units"]:
        """Share of the images in which the largest activation is zero."""
        return np.asarray(self.silent / np.maximum(self.count, 1))

    def of(self, units: slice) -> UnitStatistics:
        """Those of some of the units."""
        return UnitStatistics(**{one.name: getattr(self, one.name)[units] for one in fields(self)})


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
        first = self._units.first(self.number)
        return slice(first, first + self.channels)

    def unit(self, channel: int) -> int:
        """The number of one unit among all of the index. Raises UnknownName with what would work."""
        if not 0 <= channel < self.channels:
            raise UnknownName(
                f"no unit {channel} in layer {self.name!r}: it has {self.channels}, 0 to {self.channels - 1}"
            )
        return self.units.start + channel  # type: ignore[no-any-return]

    def top(self, channel: int, count: int = 9) -> TopImages:
        """The strongest images of one unit, fewer than `count` where no more are kept."""
        return self._extreme("top", self.unit(channel), count)

    def bottom(self, channel: int, count: int = 9) -> TopImages:
        """The weakest images of one unit, weakest first. Raises PellucidError where none were kept."""
        if not self.index.n_weakest:
            raise PellucidError("the index keeps no weakest pictures: make it with --bottom 10")
        return self._extreme("bottom", self.unit(channel), count)

    def strongest(self, count: int) -> TopImages:
        """(channels, count): the strongest images of every unit; −inf and −1 where there are no more."""
        values, images, places = (
            self._array(f"top.{name}")[self.units, :count] for name in ("value", "image", "place")
        )
        self._believe(images, places)
        return TopImages(np.asarray(values), np.asarray(images), np.asarray(places))

    def _extreme(self, fold: str, unit: int, count: int) -> TopImages:
        image, place = (self._array(f"{fold}.{name}")[unit, :count] for name in ("image", "place"))
        there = image >= 0
        self._believe(image, place)
        names = ("value", "place", "before") if any(self._units.clips) else ("value", "place")
        value, place, *before = (np.array(self._array(f"{fold}.{name}")[unit, :count][there]) for name in names)
        return TopImages(value, np.array(image[there]), place, *before)

    def _believe(self, images: NDArray[Any], places: NDArray[Any]) -> None:
        """Raises BadStore where these are no images of the index, or no places of the maps; −1 is none."""
        rows, columns = self.places
        inside = places[images >= 0]
        if (images >= self.index.n_images).any() or (inside < 0).any() or (inside >= rows * columns).any():
            raise BadStore(
                f"{str(self.index.store.folder)!r} is damaged: it names pictures or places that there are not"
            )

    @property
    def moments(self) -> UnitStatistics:
        """Statistics of its units."""
        return self.index.moments.of(self.units)

    @property
    def sample(self) -> tuple[Int64[np.ndarray, " images"], Float32[np.ndarray, "images channels"]]:
        """Numbers of the sampled images, and the largest activation of each unit on each of them.

        The sample is random and the same for every layer. Raises PellucidError where none was kept.
        """
        if not self.index.has_sample:
            raise PellucidError("the index keeps no probe: make it with --probe 10000")
        there = self._array("probe.there")[:, 0] > 0
        power = self._array("probe.power")[:, self.number : self.number + 1]
        values = restored(self._array("probe.maxima")[:, self.units], power)
        chosen: NDArray[np.int64] = self.index.plan.probed[there]
        return chosen, values[there]

    def quantiles(self, channel: int, shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The values below which these shares of a unit's activations lie, at the sampled places."""
        unit = self.unit(channel)
        top = self._array("histogram.top")[unit : unit + 1]
        greatest = float(self._array("moments.greatest")[unit])
        # the places that are sampled may have more of the largest values, and a bin ends beyond them
        return np.asarray(np.minimum(quantiles(self._counts(unit), shares, top)[0], greatest))

    def histogram(self, channel: int) -> tuple[Float[np.ndarray, " edges"], Int[np.ndarray, " bins"]]:
        """(edges, counts) of a unit's activations at the sampled places; bins are the top bits of float32."""
        unit = self.unit(channel)
        return edges(int(self._array("histogram.top")[unit])), self._counts(unit)[0]

    def _counts(self, unit: int) -> NDArray[np.int64]:
        offset, bins, count = (self._array(f"histogram.{name}") for name in ("offset", "bin", "count"))
        return counted(offset, bins, count, np.array([unit]))

    @property
    def has_class_means(self) -> bool:
        """Whether the means over the images of each class are kept."""
        return bool(self.index.classes) and self.name in self.index.plan.classed

    @property
    def class_means(self) -> Float32[np.ndarray, "classes channels"]:
        """Mean activation over places and over the images of each class; NaN for absent ones."""
        plan = self.index.plan
        if not plan.classes:
            raise PellucidError(f"{plan.source} knows no classes: put the pictures into a folder for each class")
        if self.name not in plan.classed:
            raise unknown("layer whose class means the index keeps", self.name, plan.classed)
        at = np.searchsorted(self._units.of(plan.classed), self._units.of([self.name]))
        means = self._array("classes.mean")[:, at]
        return np.where(self._array("classes.count")[:, None] > 0, means, np.float32(np.nan))

    @property
    def class_selectivity(self) -> Float[np.ndarray, " channels"]:
        """(best − mean of the others) / (best + mean of the others) of the class means; NaN where it is unknown."""
        return self.index.class_selectivity[self.units]

    def means(self, pixels: Tensor) -> Float32[np.ndarray, "n channels"]:
        """Means over places for pixels (N, C, H, W) in 0..1, as `embedding` has those of the index's images: of the
        same image the same bits.
        """
        plan, units, name = self.index.plan, self._units, self.name
        alone = Units((name,), (self.channels,), (self.places,), (self.placement,), {}, (units.signed[self.number],))
        eye = Eye(self.index.net, alone, plan.samples, plan.seed, frozenset({name}), plan.at_once)
        numbers = np.arange(len(pixels))
        return restored(*halved(eye.look(pixels, numbers, -np.ones_like(numbers), {}).means))

    @property
    def embedding(self) -> tuple[Int64[np.ndarray, " images"], NDArray[Any]]:
        """(numbers of the images, their rows): means over places, for a layer that is embedded.

        Rows are the float16 that lie on the disk, or float32 where those had to be divided to fit.
        """
        embedded = self.index.embedded
        if self.name not in embedded:
            raise unknown("embedded layer", self.name, embedded)
        rows, power = (self._array(f"embeddings.{what}.{self.name}") for what in ("at", "power"))
        rows = restored(rows, power) if power.any() else rows
        there = np.nonzero(self._array("embeddings.there")[:, 0])[0]
        return there, rows if len(there) == len(rows) else rows[there]

    @property
    def _units(self) -> Units:
        return self.index.plan.units

    def _array(self, name: str) -> NDArray[Any]:
        return self.index.store.array(name)
