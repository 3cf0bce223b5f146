"""An index that is read: every unit of every layer over a data set, without running the network again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import BadImage, PellucidError, UnknownName, unknown
from pellucid.images import Images
from pellucid.images.sources import Source
from pellucid.net import Net, Preprocess
from pellucid.net.load import load
from pellucid.notes import Note, say
from pellucid.nouns import Noun
from pellucid.sweep._checked import asks_elsewhere, refused, runs_code
from pellucid.sweep.eye import Eye
from pellucid.sweep.fold import Units
from pellucid.sweep.folds.histogram import counted, edges, quantiles
from pellucid.sweep.folds.rows import halved, morcos, restored
from pellucid.sweep.plan import Plan
from pellucid.sweep.shard import same
from pellucid.sweep.store import BadStore, Store

_WAYS = {"images": "index.at(FOLDER)", "net": "index.using(pl.load(…))"}


@dataclass(frozen=True, eq=False)
class Top:
    """The strongest pictures of one unit, best first: value, number of the picture, place in the map (row by row)."""

    values: NDArray[np.float32]
    images: NDArray[np.int64]
    places: NDArray[np.int32]
    before: NDArray[np.float32] | None = None
    """What they are ranked by, where the activation has a ceiling that cuts the values off: what it received."""


@dataclass(frozen=True, eq=False)
class Index(Noun):
    """A finished index. Its arrays are memory-mapped: opening it reads almost nothing."""

    written, samples, format = "INDEX", ("photos.index", "other.index"), "index"
    has_network = True
    store: Store
    moved: str | None = None
    """Where the pictures lie now, if not where they were."""
    given: Net | None = None
    """The network, where it is at hand."""
    ways: Mapping[str, str] = field(default_factory=lambda: dict(_WAYS))
    """How whoever asks names the network and the pictures: Python and the command line have words of their own."""
    said: tuple[Note, ...] = ()
    """What was found and passed over when it was made."""

    @classmethod
    def of(cls, value: Any) -> Index:
        """The index in a folder."""
        if isinstance(value, Index):
            return value
        index = cls(value if isinstance(value, Store) else Store.open(value))
        index.store.current  # noqa: B018  # an unfinished one is refused at once
        return index

    @property
    def plan(self) -> Plan:
        """What was done."""
        return self.store.plan

    @property
    def notes(self) -> tuple[Note, ...]:
        """What every result of this index carries: what making it passed over, where it was made just now."""
        return self.said

    def __repr__(self) -> str:
        plan = self.plan
        what = f"{plan.images} pictures, {len(plan.units)} units of {len(plan.units.layers)} layers"
        return "\nnote: ".join((f"Index({str(self.store.folder)!r}: {what})", *map(str, self.notes)))

    @property
    def title(self) -> str:
        """Its folder."""
        return str(self.store.folder)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"net": str(self.plan.net.get("spec", "")), "weights": self.plan.weights}

    @property
    def identity(self) -> str:
        """The bits of all its arrays."""
        return str(self.store.current["digest"])

    def plain(self) -> str:
        """Its folder, where nobody has named another network or another place of its pictures."""
        return str(self.store.folder) if self.given is None and self.moved is None else str(super().plain())

    @cached_property
    def source(self) -> Source:
        """The pictures. Refused where they are no longer those of the index, or are not on this machine and nobody but
        the index names them.
        """
        if self.moved is None and asks_elsewhere(self.plan.source):
            raise refused(f"pictures at {self.plan.source[:100]!r}", self.ways["images"])
        source = Source.of(self.moved or self.plan.source)
        scale = self.plan.preprocess.get("value_range")
        source.value_range = (scale[0], scale[1]) if scale else None
        way = f"name where they are with {self.ways['images']}"
        if len(source) != self.plan.images or source.identity != self.plan.names:
            raise PellucidError(f"{source} no longer holds the pictures of the index: {way}")
        if source.classes != self.plan.classes or source.labelled != self.plan.labels:
            raise PellucidError(
                f"the pictures of {source} have other classes than in the index: {way}, or make it anew"
            )
        return source

    def halve(self) -> bool:
        """`Net.halve` of its network, after memory ran out."""
        return self.net.halve()

    def read(self, image: int) -> Images:
        """A picture. Raises BadImage where it cannot be read any more, PellucidError where it is another by now."""
        try:
            found, digest = self.source.fetch(image)
        except OSError as error:
            raise BadImage(f"{self.source.name(image)!r}: {error.strerror or error}") from error
        if digest != int(self.store.array("pictures.hash")[image, 0]):
            raise PellucidError(
                f"{self.source.name(image)!r} is no longer the picture that the index was made of: put it back, name "
                f"where the pictures are with {self.ways['images']}, or make the index anew"
            )
        return found

    def readable(self, image: int) -> Images | None:
        """A picture as `read` gives it; None where it cannot be read any more, which the result's notes then say."""
        try:
            return self.read(image)
        except BadImage as error:
            say(Note("unreadable", f"a picture of the index is left out: {error}"))
            return None

    def at(self, place: str | Path) -> Index:
        """The same index, with its pictures elsewhere."""
        return replace(self, moved=str(place))

    def using(self, net: Net) -> Index:
        """The same index with its network at hand: for networks that have no name to be loaded by."""
        return replace(self, given=net)

    @cached_property
    def net(self) -> Net:
        """The network that was run; refused where its weights are others by now, or where loading it on the word of the
        index alone would run code or open files.
        """
        if self.given is not None:
            return same(self.given, self.plan)
        unsafe = runs_code(self.plan.net)
        if unsafe:
            raise refused(unsafe, self.ways["net"])
        return same(load(**self.plan.net), self.plan)

    def unit(self, layer: str, channel: int) -> int:
        """The number of a unit. Raises UnknownName with what would work."""
        units = self.plan.units
        channels = units.channels[units.layer(layer)]
        if not 0 <= channel < channels:
            raise UnknownName(f"no unit {channel} in layer {layer!r}: it has {channels}, 0 to {channels - 1}")
        return units.number(layer, channel)

    def top(self, layer: str, channel: int, count: int = 9) -> Top:
        """The strongest pictures of one unit."""
        return self._extreme("top", layer, channel, count)

    def bottom(self, layer: str, channel: int, count: int = 9) -> Top:
        """The weakest pictures of one unit, weakest first. Raises PellucidError where none were kept."""
        if not self.plan.bottom:
            raise PellucidError("the index keeps no weakest pictures: make it with --bottom 10")
        return self._extreme("bottom", layer, channel, count)

    def _extreme(self, fold: str, layer: str, channel: int, count: int) -> Top:
        unit = self.unit(layer, channel)
        image = self.store.array(f"{fold}.image")[unit, :count]
        there = image >= 0
        self.believe(layer, image, self.store.array(f"{fold}.place")[unit, :count])
        names = ("value", "place", "before") if any(self.plan.units.clips) else ("value", "place")
        value, place, *before = (np.array(self.store.array(f"{fold}.{name}")[unit, :count][there]) for name in names)
        return Top(value, np.array(image[there]), place, *before)

    def believe(self, layer: str, images: NDArray[Any], places: NDArray[Any]) -> None:
        """Raises BadStore where these are no pictures of the index, or no places of the layer's maps; −1 is none."""
        rows, columns = self.plan.units.places[self.plan.units.layer(layer)]
        inside = places[images >= 0]
        if (images >= self.plan.images).any() or (inside < 0).any() or (inside >= rows * columns).any():
            raise BadStore(f"{str(self.store.folder)!r} is damaged: it names pictures or places that there are not")

    def probe(self, layer: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(P,) numbers of the sampled pictures and (P, channels) largest activations of a layer's units on them.

        The sample is random and the same for every layer.
        """
        if not self.plan.probe:
            raise PellucidError("the index keeps no probe: make it with --probe 10000")
        there = self.store.array("probe.there")[:, 0] > 0
        which = self.plan.units.layer(layer)
        power = self.store.array("probe.power")[:, which : which + 1]
        values = restored(self.store.array("probe.maxima")[:, self.of_layer(layer)], power)
        chosen: NDArray[np.int64] = self.plan.probed[there]
        return chosen, values[there]

    def of_layer(self, layer: str) -> slice:
        """Which of all units are those of a layer."""
        units = self.plan.units
        which = units.layer(layer)
        return slice(units.first(which), units.first(which) + units.channels[which])

    def class_means(self, layer: str) -> NDArray[np.float32]:
        """(classes, channels): mean activation over places and over the pictures of each class; NaN for absent ones."""
        if not self.plan.classes:
            raise PellucidError(f"{self.plan.source} knows no classes: put the pictures into a folder for each class")
        plan = self.plan
        asked = plan.units.layers[plan.units.layer(layer)]
        if asked not in plan.classed:
            raise unknown("layer whose class means the index keeps", layer, plan.classed)
        at = np.searchsorted(plan.units.of(plan.classed), plan.units.of([asked]))
        means = self.store.array("classes.mean")[:, at]
        return np.where(self.store.array("classes.count")[:, None] > 0, means, np.float32(np.nan))

    def quantile(self, layer: str, channel: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values below which these shares of a unit's activations lie."""
        unit = self.unit(layer, channel)
        top = self.store.array("histogram.top")[unit : unit + 1]
        greatest = float(self.store.array("moments.greatest")[unit])
        # the places that are sampled may have more of the largest values, and a bin ends beyond them
        found: NDArray[np.float64] = np.minimum(quantiles(self.histograms(np.array([unit])), shares, top)[0], greatest)
        return found

    def histograms(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """(units, BINS): the histograms of some units, by their numbers."""
        offset, bins, count = (self.store.array(f"histogram.{name}") for name in ("offset", "bin", "count"))
        return counted(offset, bins, count, units)

    def edges(self, unit: int) -> NDArray[np.float64]:
        """(BINS + 1,): where the bins of a unit's histogram begin and end, by its number."""
        return edges(int(self.store.array("histogram.top")[unit]))

    def moments(self, layer: str, channel: int) -> dict[str, float]:
        """Mean and standard deviation of a unit's activations (at the sampled places) and of its largest activation in
        each picture, the least and greatest of these, and in how many of `count` pictures it is `silent`.
        """
        unit = self.unit(layer, channel)
        names = ("count", "silent", "mean", "sd", "max_mean", "max_sd", "least", "greatest")
        return {name: float(self.store.array(f"moments.{name}")[unit]) for name in names}

    @cached_property
    def class_selectivity(self) -> NDArray[np.float64]:
        """(units,): (μ_max − μ_others) / (μ_max + μ_others) over all classes; NaN without labels."""
        if not self.plan.classes:
            return np.full(len(self.plan.units), np.nan)
        found = np.full(len(self.plan.units), np.nan)
        means, count = (np.asarray(self.store.array(f"classes.{name}")) for name in ("mean", "count"))
        found[self.plan.units.of(self.plan.classed)] = morcos(means, count)
        return found

    def means(self, pixels: Tensor, layer: str) -> NDArray[np.float32]:
        """(N, channels): means over places of pixels (N, C, H, W) in 0..1, as `embeddings` has those of the index's
        pictures: of the same picture the same bits.
        """
        plan, which = self.plan, self.plan.units.layer(layer)
        units, name = plan.units, plan.units.layers[which]
        of_layer = (units.channels[which],), (units.places[which],), (units.placements[which],)
        alone = Units((name,), *of_layer, {}, (units.signed[which],))
        eye = Eye(self.net, alone, plan.samples, plan.seed, frozenset({name}), plan.at_once)
        numbers = np.arange(len(pixels))
        return restored(*halved(eye.look(pixels, numbers, -np.ones_like(numbers), {}).means))

    def embeddings(self, layer: str | None = None) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """(numbers of the pictures, their rows) of one of the embedded layers, by default the last of them.

        Rows are the float16 that lie on the disk, or float32 where those had to be divided to fit.
        """
        if not self.plan.embedded:
            raise PellucidError("the index embeds no layer: make it with --embed NAME")
        name = self.plan.units.layers[self.plan.units.layer(layer)] if layer else self.plan.embedded[-1]
        if name not in self.plan.embedded:
            raise unknown("embedded layer", name, self.plan.embedded)
        rows, power = (self.store.array(f"embeddings.{what}.{name}") for what in ("at", "power"))
        rows = restored(rows, power) if power.any() else rows
        there = np.nonzero(self.store.array("embeddings.there")[:, 0])[0]
        return there, rows if len(there) == len(rows) else rows[there]


def preprocess_of(plan: Plan) -> Preprocess:
    """How the pictures of an index were cut and normalised; from plain lists, as JSON gives them back."""
    plain: dict[str, Any] = {n: tuple(one) if isinstance(one, list) else one for n, one in plan.preprocess.items()}
    return Preprocess(**plain)
