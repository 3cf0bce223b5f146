"""What classes do to units: the means over the images of each class, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.errors import unknown
from pellucid.sweep.exact import PLACES, digits, floating, packed
from pellucid.sweep.fold import Fold, Held, Part, Scope, Shape, Working
from pellucid.sweep.observed import Batch, Observes

_MOST = 8_000_000
"""Numbers: 64 MB of sums for each of the two or three places of their digits."""


@dataclass(frozen=True, eq=False)
class MeansOfClasses:
    """The mean activations of units over the images of each class, as an index holds them."""

    layers: tuple[str, ...]
    held: Held

    def of(self, layer: str) -> NDArray[np.float32]:
        """(classes, channels) of a layer; NaN for absent classes. Raises UnknownName where they are not kept of it."""
        if layer not in self.layers:
            raise unknown("layer whose class means the index keeps", layer, self.layers)
        at = np.searchsorted(self._units, self.held.scope.units.of([layer]))
        return np.where(self.held["count"][:, None] > 0, self.held["mean"][:, at], np.float32(np.nan))

    @property
    def selectivity(self) -> NDArray[np.float64]:
        """(units,): `morcos` over the classes; NaN for units whose class means are not kept."""
        found = np.full(len(self.held.scope.units), np.nan)
        found[self._units] = morcos(np.asarray(self.held["mean"]), np.asarray(self.held["count"]))
        return found

    @property
    def best(self) -> NDArray[np.int64]:
        """(units,): the class with the largest mean; −1 where nothing excites the unit, or it is not known."""
        means, count = np.asarray(self.held["mean"]), np.asarray(self.held["count"])[:, None]
        there = np.where(count > 0, np.abs(means), 0).max(0) > 0
        found = np.full(len(self.held.scope.units), -1, np.int64)
        found[self._units] = np.where(there, np.where(count > 0, means, -np.inf).argmax(0), -1)
        return found

    @property
    def _units(self) -> NDArray[np.int64]:
        return self.held.scope.units.of(self.layers)


@final
@dataclass(frozen=True)
class ClassMeans(Fold[MeansOfClasses]):
    """Of the units of some layers the exact sum of mean activations over the images of each class, and the counts."""

    name: ClassVar[str] = "classes"
    absent: ClassVar[str] = "the images of the index have no classes: put them into a folder for each class"
    class_means: Annotated[
        tuple[str, ...] | None,
        Field(description="layers whose means over the images of each class are kept; by default all, or the stages"),
    ] = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Whose means are kept."""
        return self.class_means or ()

    @property
    def observes(self) -> Observes:
        return Observes(means=frozenset(self.layers))

    def settled(self, scope: Scope) -> ClassMeans | None:
        """Of all layers, unless that were too much for a shard; then of stages and of what the head reads, then of
        what the head reads alone, or of none.
        """
        units = scope.units
        if not scope.classes:
            return None
        if self.class_means is not None:
            return replace(self, class_means=units.named(self.class_means))
        head = units.before_head
        stages = {*units.aliases.values(), head, *(name for name in units.layers if name.count(".") <= 1)}
        for some in (units.layers, tuple(name for name in units.layers if name in stages), (head,)):
            if scope.classes * len(units.of(some)) <= _MOST:
                return replace(self, class_means=some)
        return replace(self, class_means=())

    def fits(self, scope: Scope) -> None:
        scope.units.named(self.layers)

    def start(self, scope: Scope) -> Working:
        return {"sums": {}, "count": np.zeros(scope.classes, np.int64)}

    def _sums(self, working: Working, scope: Scope, place: int) -> NDArray[np.int64]:
        """(classes, units) the digits at one place; most places have none, at whatever scale."""
        if place not in working["sums"]:
            working["sums"][place] = np.zeros((scope.classes, len(scope.units.of(self.layers))), np.int64)
        found: NDArray[np.int64] = working["sums"][place]
        return found

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        known = np.nonzero((batch.labels >= 0) & (batch.labels < scope.classes))[0]
        values = batch.means[known][:, scope.units.of(self.layers)].astype(np.float64)
        for place, found in digits(np.where(np.isfinite(values), values, 0)):
            sums = self._sums(working, scope, place)
            for label, row in zip(batch.labels[known].tolist(), found.astype(np.int64), strict=True):
                sums[label] += row
        working["count"] += np.bincount(batch.labels[known], minlength=scope.classes)

    def pack(self, scope: Scope, working: Working) -> Part:
        present = np.nonzero(working["count"])[0]
        width = len(scope.units.of(self.layers))
        whole = np.zeros((PLACES, len(present), width), np.int64) if len(present) else np.zeros((PLACES, 0, width), int)
        for place, sums in working["sums"].items():
            whole[place] = sums[present]
        at, sums = packed(whole)
        return {"class": present, "at": at, "sums": sums, "count": working["count"][present]}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        for place, sums in zip(part["at"].tolist(), part["sums"], strict=True):
            self._sums(working, scope, place)[part["class"]] += sums
        working["count"][part["class"]] += part["count"]

    def finish(self, scope: Scope, working: Working) -> Part:
        width, count = len(scope.units.of(self.layers)), working["count"]
        means = np.zeros((scope.classes, width), np.float32)
        for label in np.nonzero(count)[0].tolist():
            one = np.zeros((PLACES, width), np.int64)
            for place, sums in working["sums"].items():
                one[place] = sums[label]
            means[label] = floating(one) / count[label]
        return {"mean": means, "count": count}

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        return {"mean": (scope.classes, len(scope.units.of(self.layers))), "count": (scope.classes,)}

    def read(self, held: Held) -> MeansOfClasses:
        return MeansOfClasses(self.layers, held)


def morcos(means: NDArray[np.float32], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """(units,): (μ_max − μ_others) / (μ_max + μ_others) over class means (Morcos et al. 2018, equation 1); NaN where a
    class mean is negative: it is a share of what is positive.
    """
    present = means[count > 0].astype(np.float64)
    if len(present) < 2:
        return np.full(means.shape[1], np.nan)
    best = present.max(0)
    others = (present.sum(0) - best) / (len(present) - 1)
    whole = best + others
    return np.where((whole > 0) & (present.min(0) >= 0), (best - others) / np.where(whole > 0, whole, 1), np.nan)
