"""The strongest and the weakest images of every unit, and where in them: exact, with a total order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.sweep.fold import Fold, Held, Part, Scope, Shape, Working
from pellucid.sweep.observed import LARGEST, SMALLEST, Batch, Observes

Keys = NDArray[np.uint64]
_NONE = np.uint64(2**64 - 1)
"""After all others in the order."""
_WAITING = 64
"""Candidates of a unit that wait until they are sorted in: one sort for many is cheaper than many."""
_BLOCK = 4096
"""Units that are sorted at once: more would not stay in the cache."""
_ENTRIES = 2 * 10**9
"""Numbers that can be kept in all."""


def keyed(value: NDArray[np.float32], image: NDArray[np.int64]) -> Keys:
    """Numbers whose order is: larger values first, of equal ones the lower image."""
    bits = (value + np.float32(0)).view(np.uint32)  # −0 becomes 0
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return (~rising).astype(np.uint64) << np.uint64(32) | image.astype(np.uint64)


def unkeyed(key: Keys) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(values, images) again; −inf and −1 where there is none."""
    rising = ~(key >> np.uint64(32)).astype(np.uint32)
    bits = np.where(rising >> 31 == 1, rising & np.uint32(0x7FFFFFFF), ~rising)
    value, image = bits.view(np.float32), (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
    none = key == _NONE
    return np.where(none, np.float32(-np.inf), value), np.where(none, -1, image)


@dataclass(frozen=True, eq=False)
class TopImages:
    """The strongest images of one unit, best first: value, number of the image, place in the map (row by row).

    Of several units (units, count): −inf and −1 where there are no more.
    """

    values: NDArray[np.float32]
    images: NDArray[np.int64]
    places: NDArray[np.int32]
    before: NDArray[np.float32] | None = None
    """What they are ranked by, where the activation has a ceiling that cuts the values off: what it received."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The most extreme images of every unit, as an index holds them."""

    many: int
    """Images kept of every unit."""
    held: Held

    def of(self, unit: int, count: int) -> TopImages:
        """Those of one unit, by its number, most extreme first."""
        units = self.held.scope.units
        image, place = (self.held[name][unit, :count] for name in ("image", "place"))
        there = image >= 0
        self._believe(units.layer_of(unit), image, place)
        names = ("value", "place", "before") if any(units.clips) else ("value", "place")
        value, place, *before = (np.array(self.held[name][unit, :count][there]) for name in names)
        return TopImages(value, np.array(image[there]), place, *before)

    def of_layer(self, layer: int, count: int) -> TopImages:
        """(channels, count): those of every unit of a layer."""
        mine = self.held.scope.units.span(layer)
        found = TopImages(*(np.asarray(self.held[name][mine, :count]) for name in ("value", "image", "place")))
        self._believe(layer, found.images, found.places)
        return found

    def _believe(self, layer: int, images: NDArray[Any], places: NDArray[Any]) -> None:
        """Raises BadStore where these are no images of the index, or no places of the maps; −1 is none."""
        rows, columns = self.held.scope.units.places[layer]
        inside = places[images >= 0]
        if (images >= self.held.scope.images).any() or (inside < 0).any() or (inside >= rows * columns).any():
            raise self.held.damaged("it names images or places that there are not")


class Extremes(Fold[Ranking]):
    """The `many` most extreme activations of every unit: value, image, place in the map.

    Most extreme first, of equal ones the lower image; in it the first place, row by row. Activations with a ceiling
    are ranked by what that receives, which is kept as `before`. What is not finite is left out and counted. Only what
    comes before the floor is taken: what a shard need not report, because as many are known already that do.
    """

    extreme: ClassVar[str]
    """LARGEST or SMALLEST."""
    bounded: ClassVar[bool] = True

    @property
    @abstractmethod
    def many(self) -> int:
        """Images kept of every unit."""

    @property
    def observes(self) -> Observes:
        return Observes(extremes=frozenset({self.extreme}))

    def fits(self, scope: Scope) -> None:
        if self.many * len(scope.units) > _ENTRIES:
            raise ValueError(f"{self.many} images of each of {len(scope.units)} units")

    def start(self, scope: Scope) -> Working:
        shape = (len(scope.units), self.many + _WAITING)
        return {
            "key": np.full(shape, _NONE),
            "place": np.zeros(shape, np.int32),
            "waiting": np.zeros(len(scope.units), np.int64),
            "floor": np.full(len(scope.units), _NONE),
            "left_out": np.zeros(len(scope.units), np.int64),
        }

    def gates(self, working: Working, images: NDArray[np.int64]) -> Mapping[str, NDArray[np.float32]]:
        worst = self.worst(working)
        value, last = unkeyed(worst)
        last = np.where(worst == _NONE, np.iinfo(np.int64).max, last)
        above = np.nextafter(value, np.float32(np.inf))
        return {self.extreme: np.where(last[None] > images[:, None], value, above)}

    def worst(self, working: Working) -> Keys:
        """(units,): what a candidate must come before."""
        found: Keys = np.minimum(working["key"][:, self.many - 1], working["floor"])
        return found

    def bound(self, working: Working) -> Keys:
        return self.worst(working).copy()

    def bounded_by(self, working: Working, bound: NDArray[np.uint64]) -> None:
        working["floor"] = bound

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        extreme = batch.negated if self.extreme == SMALLEST else batch.ranked
        if self.extreme == LARGEST:
            working["left_out"] += np.isneginf(extreme).sum(0)
        events = batch.found[self.extreme]
        key = keyed(extreme[events.row, events.unit], batch.images[events.row])
        order = np.argsort(events.row.astype(np.uint16), kind="stable")
        ends = np.cumsum(np.bincount(events.row, minlength=len(batch.images)))
        for some in np.split(order, ends[:-1]):
            self._append(working, events.unit[some], key[some], events.place[some])

    def pack(self, scope: Scope, working: Working) -> Part:
        self._sort(working)
        key, place = working["key"][:, : self.many], working["place"][:, : self.many]
        there = key != _NONE
        count = there.sum(1).astype(np.uint32)
        return {"count": count, "key": key[there], "place": place[there], "left_out": working["left_out"].copy()}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        self._insert(working, np.repeat(np.arange(len(scope.units)), part["count"]), part["key"], part["place"])
        working["left_out"] += part["left_out"]

    def finish(self, scope: Scope, working: Working) -> Part:
        self._sort(working)
        value, image = unkeyed(working["key"][:, : self.many])
        none = image < 0
        place = np.where(none, -1, working["place"][:, : self.many]).astype(np.int32)
        before = np.where(none, np.float32(np.nan), -value if self.extreme == SMALLEST else value)
        value = scope.units.bounded(before.T).T if any(scope.units.clips) else before
        found = {"value": np.ascontiguousarray(value), "image": image, "place": place, "left_out": working["left_out"]}
        return {**found, "before": before} if any(scope.units.clips) else found

    def _append(self, working: Working, unit: NDArray[np.int64], key: Keys, place: NDArray[np.int64]) -> None:
        """Put candidates of one image into the waiting places of their units: each unit has one at most."""
        better = key < self.worst(working)[unit]
        unit, key, place = unit[better], key[better], place[better]
        waiting = working["waiting"][unit]
        if (waiting >= _WAITING).any():
            self._sort(working)
            waiting = np.zeros_like(waiting)
        working["key"][unit, self.many + waiting] = key
        working["place"][unit, self.many + waiting] = place
        working["waiting"][unit] = waiting + 1

    def _insert(
        self, working: Working, unit: NDArray[np.int64], key: Keys, place: NDArray[np.int64] | NDArray[np.int32]
    ) -> None:
        """Put candidates into the waiting places of their units."""
        better = key < self.worst(working)[unit]
        unit, key, place = unit[better], key[better], place[better]
        for some in _rounds(unit):
            mine = unit[some]
            order = np.argsort(mine, kind="stable")
            some, mine = some[order], mine[order]
            rank = np.arange(len(mine)) - np.searchsorted(mine, mine)
            if (working["waiting"][mine] + rank >= _WAITING).any():
                self._sort(working)
            slot = self.many + working["waiting"][mine] + rank
            working["key"][mine, slot] = key[some]
            working["place"][mine, slot] = place[some]
            working["waiting"] += np.bincount(mine, minlength=len(working["waiting"]))

    def _sort(self, working: Working) -> None:
        touched = np.nonzero(working["waiting"])[0]
        for start in range(0, len(touched), _BLOCK):
            units = touched[start : start + _BLOCK]
            key, place = working["key"][units], working["place"][units]
            order = np.argsort(key, axis=1)[:, : self.many]
            key[:, : self.many] = np.take_along_axis(key, order, 1)
            place[:, : self.many] = np.take_along_axis(place, order, 1)
            key[:, self.many :] = _NONE
            working["key"][units], working["place"][units] = key, place
        working["waiting"][:] = 0

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        n = len(scope.units)
        found: dict[str, Shape] = dict.fromkeys(("value", "image", "place"), (n, self.many))
        return {**found, "left_out": (n,), **({"before": (n, self.many)} if any(scope.units.clips) else {})}

    def read(self, held: Held) -> Ranking:
        return Ranking(self.many, held)


@final
@dataclass(frozen=True)
class Largest(Extremes):
    """The strongest images of every unit."""

    name: ClassVar[str] = "top"
    extreme: ClassVar[str] = LARGEST
    count: Annotated[int, Field(ge=1, le=10_000, description="strongest images kept of every unit")] = 100

    @property
    def many(self) -> int:
        return self.count


@final
@dataclass(frozen=True)
class Smallest(Extremes):
    """The weakest images of every unit, of layers whose activations can be negative."""

    name: ClassVar[str] = "bottom"
    extreme: ClassVar[str] = SMALLEST
    absent: ClassVar[str] = "the index keeps no weakest images: make it with --bottom 10"
    bottom: Annotated[int, Field(ge=0, le=10_000, description="weakest images kept of every unit; 0: none")] = 10

    @property
    def many(self) -> int:
        return self.bottom

    def settled(self, scope: Scope) -> Smallest | None:
        return self if self.bottom else None


def _rounds(unit: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Parts of the candidates in which no unit has more than can wait."""
    if not len(unit):
        return
    order = np.argsort(unit, kind="stable")
    listed = unit[order]
    rank = np.arange(len(listed)) - np.searchsorted(listed, listed)
    for first in range(0, int(rank.max()) + 1, _WAITING):
        yield order[(rank >= first) & (rank < first + _WAITING)]
