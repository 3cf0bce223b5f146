"""The strongest pictures of every unit, and where in them: exact, with a total order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.eye import LARGEST, SMALLEST
from pellucid.sweep.fold import Batch, Fold, Part, Units, Working

Keys = NDArray[np.uint64]
_NONE = np.uint64(2**64 - 1)
"""After all others in the order."""
_WAITING = 64
"""Candidates of a unit that wait until they are sorted in: one sort for many is cheaper than many."""
_BLOCK = 4096
"""Units that are sorted at once: more would not stay in the cache."""


def keyed(value: NDArray[np.float32], image: NDArray[np.int64]) -> Keys:
    """Numbers whose order is: larger values first, of equal ones the lower picture."""
    bits = (value + np.float32(0)).view(np.uint32)  # −0 becomes 0
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return (~rising).astype(np.uint64) << np.uint64(32) | image.astype(np.uint64)


def unkeyed(key: Keys) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(values, pictures) again; −inf and −1 where there is none."""
    rising = ~(key >> np.uint64(32)).astype(np.uint32)
    bits = np.where(rising >> 31 == 1, rising & np.uint32(0x7FFFFFFF), ~rising)
    value, image = bits.view(np.float32), (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
    none = key == _NONE
    return np.where(none, np.float32(-np.inf), value), np.where(none, -1, image)


@final
@dataclass(frozen=True, eq=False)
class Top(Fold):
    """The `count` largest (or smallest) activations of every unit: value, picture, place in the map.

    Larger values first, of equal ones the lower picture; in it the first place, row by row. Activations with a ceiling
    are ranked by what that receives, which is kept as `before`. What is not finite is left out and counted. With
    `floor` (units,) only what comes before it in the order is taken: what a shard need not report, because as many
    stronger ones are known already.
    """

    count: int = 100
    smallest: bool = False
    floor: Keys | None = field(default=None, repr=False)

    @property
    def name(self) -> str:  # type: ignore[override]
        return SMALLEST if self.smallest else LARGEST

    def start(self, units: Units) -> Working:
        shape = (len(units), self.count + _WAITING)
        return {
            "key": np.full(shape, _NONE),
            "place": np.zeros(shape, np.int32),
            "waiting": np.zeros(len(units), np.int64),
            "left_out": np.zeros(len(units), np.int64),
        }

    def gate(self, working: Working, images: NDArray[np.int64]) -> NDArray[np.float32]:
        worst = self.worst(working)
        value, last = unkeyed(worst)
        last = np.where(worst == _NONE, np.iinfo(np.int64).max, last)
        above = np.nextafter(value, np.float32(np.inf))
        return np.where(last[None] > images[:, None], value, above)

    def worst(self, working: Working) -> Keys:
        """(units,): what a candidate must come before."""
        last: Keys = working["key"][:, self.count - 1]
        return last if self.floor is None else np.minimum(last, self.floor)

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        extreme = batch.negated if self.smallest else batch.ranked
        if not self.smallest:
            working["left_out"] += np.isneginf(extreme).sum(0)
        events = batch.found[self.name]
        key = keyed(extreme[events.row, events.unit], batch.images[events.row])
        order = np.argsort(events.row.astype(np.uint16), kind="stable")
        ends = np.cumsum(np.bincount(events.row, minlength=len(batch.images)))
        for some in np.split(order, ends[:-1]):
            self._append(working, events.unit[some], key[some], events.place[some])

    def pack(self, units: Units, working: Working) -> Part:
        self._sort(working)
        key, place = working["key"][:, : self.count], working["place"][:, : self.count]
        there = key != _NONE
        count = there.sum(1).astype(np.uint32)
        return {"count": count, "key": key[there], "place": place[there], "left_out": working["left_out"].copy()}

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        self._insert(working, np.repeat(np.arange(len(units)), part["count"]), part["key"], part["place"])
        working["left_out"] += part["left_out"]

    def finish(self, units: Units, working: Working) -> Part:
        self._sort(working)
        value, image = unkeyed(working["key"][:, : self.count])
        none = image < 0
        place = np.where(none, -1, working["place"][:, : self.count]).astype(np.int32)
        before = np.where(none, np.float32(np.nan), -value if self.smallest else value)
        value = units.bounded(before.T).T if any(units.clips) else before
        found = {"value": np.ascontiguousarray(value), "image": image, "place": place, "left_out": working["left_out"]}
        return {**found, "before": before} if any(units.clips) else found

    def _append(self, working: Working, unit: NDArray[np.int64], key: Keys, place: NDArray[np.int64]) -> None:
        """Put candidates of one picture into the waiting places of their units: each unit has one at most."""
        better = key < self.worst(working)[unit]
        unit, key, place = unit[better], key[better], place[better]
        waiting = working["waiting"][unit]
        if (waiting >= _WAITING).any():
            self._sort(working)
            waiting = np.zeros_like(waiting)
        working["key"][unit, self.count + waiting] = key
        working["place"][unit, self.count + waiting] = place
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
            slot = self.count + working["waiting"][mine] + rank
            working["key"][mine, slot] = key[some]
            working["place"][mine, slot] = place[some]
            working["waiting"] += np.bincount(mine, minlength=len(working["waiting"]))

    def _sort(self, working: Working) -> None:
        touched = np.nonzero(working["waiting"])[0]
        for start in range(0, len(touched), _BLOCK):
            units = touched[start : start + _BLOCK]
            key, place = working["key"][units], working["place"][units]
            order = np.argsort(key, axis=1)[:, : self.count]
            key[:, : self.count] = np.take_along_axis(key, order, 1)
            place[:, : self.count] = np.take_along_axis(place, order, 1)
            key[:, self.count :] = _NONE
            working["key"][units], working["place"][units] = key, place
        working["waiting"][:] = 0


def _rounds(unit: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Parts of the candidates in which no unit has more than can wait."""
    if not len(unit):
        return
    order = np.argsort(unit, kind="stable")
    listed = unit[order]
    rank = np.arange(len(listed)) - np.searchsorted(listed, listed)
    for first in range(0, int(rank.max()) + 1, _WAITING):
        yield order[(rank >= first) & (rank < first + _WAITING)]
