"""Moments, exactly: sums of fixed-point integers, which do not depend on their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Units, Working

_COARSE, _FINE = 2.0**8, 2.0**32
"""A value is coarse / 2^8 + fine / 2^40: exact to 10⁻¹² for |value| < 2^31, and 2^22 of them fit into 64 bits."""
_MOST = 2.0**31
_BLOCK = 2048


def fixed(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(coarse, fine) whole numbers of values, small enough that some thousand of them add up exactly as they are."""
    scaled = values * _COARSE
    coarse = np.rint(scaled)
    scaled -= coarse
    scaled *= _FINE
    return coarse, np.rint(scaled, out=scaled)


def floating(coarse: NDArray[np.int64], fine: NDArray[np.int64]) -> NDArray[np.float64]:
    """The number that two sums stand for."""
    whole: NDArray[np.float64] = (coarse.astype(np.float64) + fine.astype(np.float64) / _FINE) / _COARSE
    return whole


@final
@dataclass(frozen=True)
class Moments(Fold):
    """Of every unit: mean and standard deviation of its activations at the sampled places, and over pictures those of
    its largest activation, the least and the greatest of these, and in how many pictures its largest is zero.
    """

    samples: int = 4

    name = "moments"

    def start(self, units: Units) -> Working:
        n = len(units)
        sums = {f"{what}_{power}_{part}": np.zeros(n, np.int64) for what in _WHAT for power in (1, 2) for part in "cf"}
        return {
            **sums,
            "count": np.zeros(n, np.int64),
            "left_out": np.zeros(n, np.int64),
            "silent": np.zeros(n, np.int64),
            "least": np.full(n, np.inf, np.float32),
            "greatest": np.full(n, -np.inf, np.float32),
        }

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        for start in range(0, len(units), _BLOCK):  # what is worked on stays in the cache
            mine = slice(start, start + _BLOCK)
            maxima, sampled = batch.maxima[:, mine], batch.sampled[:, :, mine].astype(np.float64)
            wide = maxima.astype(np.float64)
            good = (np.abs(wide) < _MOST**0.5) & (np.abs(sampled).max(1) < _MOST**0.5)
            if not good.all():
                wide, sampled = np.where(good, wide, 0), np.where(good[:, None], sampled, 0)
            working["count"][mine] += good.sum(0)
            working["left_out"][mine] += (~good).sum(0)
            working["silent"][mine] += (good & (wide == 0)).sum(0)
            # a few float32 and their squares add up in float64 without an error
            sums = {"max_1": wide, "max_2": wide * wide, "all_1": sampled.sum(1), "all_2": (sampled * sampled).sum(1)}
            for what, one in sums.items():
                for name, integers in zip("cf", fixed(one), strict=True):
                    working[f"{what}_{name}"][mine] += integers.sum(0).astype(np.int64)
            low, high = (np.where(np.isfinite(maxima), maxima, end) for end in (np.inf, -np.inf))
            working["least"][mine] = np.minimum(working["least"][mine], low.min(0))
            working["greatest"][mine] = np.maximum(working["greatest"][mine], high.max(0))

    def pack(self, units: Units, working: Working) -> Part:
        return {name: values.copy() for name, values in working.items()}

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        for name, values in part.items():
            if name in ("least", "greatest"):
                chosen = np.minimum if name == "least" else np.maximum
                working[name] = chosen(working[name], values)
            else:
                working[name] += values

    def finish(self, units: Units, working: Working) -> Part:
        part = working
        count = np.maximum(part["count"], 1)
        found: Part = {name: part[name] for name in ("count", "left_out", "silent", "least", "greatest")}
        for what in _WHAT:
            each = count * self.samples if what == "all" else count
            first, second = (floating(part[f"{what}_{power}_c"], part[f"{what}_{power}_f"]) / each for power in (1, 2))
            name = "" if what == "all" else f"{what}_"
            found[f"{name}mean"] = first
            found[f"{name}sd"] = np.sqrt(np.maximum(second - first**2, 0))
        return found


_WHAT = ("all", "max")
