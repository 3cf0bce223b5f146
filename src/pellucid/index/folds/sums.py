"""Moments, exactly: sums of whole numbers, which do not depend on their order, at any scale of the activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float, Int64

from pellucid.index.folds.sampled import Sampled
from pellucid.sweep.exact import PLACES, digits, integers, mean_and_deviation, packed
from pellucid.sweep.fold import Held, Part, Scope, Shape, Working
from pellucid.sweep.observed import Batch

_BLOCK = 512
_WHAT = ("all", "max")
_SUMS = tuple(f"{what}_{power}" for what in _WHAT for power in (1, 2))


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


@final
@dataclass(frozen=True)
class ExactSums(Sampled[UnitStatistics]):
    """Of every unit: mean and standard deviation of its activations at the sampled places, and over images those of
    its largest activation, the least and the greatest of these, and in how many images its largest is zero.
    """

    name: ClassVar[str] = "moments"

    def start(self, scope: Scope) -> Working:
        n = len(scope.units)
        return {
            **{name: np.zeros((PLACES, n), np.int64) for name in _SUMS},
            "count": np.zeros(n, np.int64),
            "left_out": np.zeros(n, np.int64),
            "silent": np.zeros(n, np.int64),
            "least": np.full(n, np.inf, np.float32),
            "greatest": np.full(n, -np.inf, np.float32),
        }

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        for start in range(0, len(scope.units), _BLOCK):  # what is worked on stays in the cache
            mine = slice(start, start + _BLOCK)
            maxima, sampled = batch.maxima[:, mine], batch.sampled[:, :, mine].astype(np.float64)
            good = np.isfinite(maxima)
            wide = maxima.astype(np.float64)
            if not good.all():
                wide, sampled = np.where(good, wide, 0), np.where(good[:, None], sampled, 0)
            working["count"][mine] += good.sum(0)
            working["left_out"][mine] += (~good).sum(0)
            working["silent"][mine] += (good & (wide == 0)).sum(0)
            # the squares of float32 have no error in float64; the samples of an image are added in one order
            sums = {"max_1": wide, "max_2": wide * wide, "all_1": sampled.sum(1), "all_2": (sampled * sampled).sum(1)}
            for name, one in sums.items():
                for place, found in digits(one):
                    working[name][place, mine] += found.sum(0).astype(np.int64)
            low, high = (np.where(good, maxima, end) for end in (np.inf, -np.inf))
            working["least"][mine] = np.minimum(working["least"][mine], low.min(0))
            working["greatest"][mine] = np.maximum(working["greatest"][mine], high.max(0))

    def pack(self, scope: Scope, working: Working) -> Part:
        part: Part = {name: values.copy() for name, values in working.items() if name not in _SUMS}
        for name in _SUMS:
            part[f"{name}_at"], part[name] = packed(working[name])
        return part

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        for name in _SUMS:
            working[name][part[f"{name}_at"]] += part[name]
        for name in ("count", "left_out", "silent"):
            working[name] += part[name]
        working["least"] = np.minimum(working["least"], part["least"])
        working["greatest"] = np.maximum(working["greatest"], part["greatest"])

    def finish(self, scope: Scope, working: Working) -> Part:
        found: Part = {name: working[name] for name in ("count", "left_out", "silent", "least", "greatest")}
        for what in _WHAT:
            each = working["count"] * self.samples if what == "all" else working["count"]
            first, second = (integers(working[f"{what}_{power}"]) for power in (1, 2))
            name = "" if what == "all" else f"{what}_"
            found[f"{name}mean"], found[f"{name}sd"] = mean_and_deviation(first, second, each.tolist())
        return found

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        return {one.name: (len(scope.units),) for one in fields(UnitStatistics)}

    def read(self, held: Held) -> UnitStatistics:
        return UnitStatistics(**{one.name: np.asarray(held[one.name]) for one in fields(UnitStatistics)})
