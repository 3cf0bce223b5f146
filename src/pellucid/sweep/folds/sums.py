"""Moments, exactly: sums of fixed-point integers, which do not depend on their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Units

_COARSE, _FINE = 2.0**8, 2.0**32
"""A value is coarse / 2^8 + fine / 2^40: exact to 10⁻¹² for |value| < 2^31, and 2^22 of them fit into 64 bits."""
_MOST = 2.0**31


def fixed(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(coarse, fine) integers of values; those that are not finite or too large must have been taken out."""
    coarse = np.rint(values * _COARSE)
    fine = np.rint((values * _COARSE - coarse) * _FINE)
    return coarse.astype(np.int64), fine.astype(np.int64)


def floating(coarse: NDArray[np.int64], fine: NDArray[np.int64]) -> NDArray[np.float64]:
    """The number that two sums stand for."""
    whole: NDArray[np.float64] = (coarse.astype(np.float64) + fine.astype(np.float64) / _FINE) / _COARSE
    return whole


@final
@dataclass(frozen=True)
class Moments(Fold):
    """Of every unit, over pictures: count, mean and standard deviation of its mean and of its largest activation over
    places, least and greatest, and the share of pictures in which its map is zero everywhere.
    """

    name = "moments"

    def start(self, units: Units) -> Part:
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

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        good = np.isfinite(batch.maxima) & np.isfinite(batch.means)
        good &= (np.abs(batch.maxima) < _MOST**0.5) & (np.abs(batch.means) < _MOST**0.5)
        part["count"] += good.sum(0)
        part["left_out"] += (~good).sum(0)
        for what, values in (("mean", batch.means), ("max", batch.maxima)):
            wide = np.where(good, values, 0).astype(np.float64)
            for power in (1, 2):
                for name, integers in zip("cf", fixed(wide**power), strict=True):
                    part[f"{what}_{power}_{name}"] += integers.sum(0)
        part["silent"] += (good & (batch.maxima == 0) & (batch.means == 0)).sum(0)
        part["least"] = np.minimum(part["least"], np.where(good, batch.maxima, np.inf).min(0))
        part["greatest"] = np.maximum(part["greatest"], np.where(good, batch.maxima, -np.inf).max(0))

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        merged: Part = {name: a[name] + b[name] for name in a if name not in ("least", "greatest")}
        return {
            **merged,
            "least": np.minimum(a["least"], b["least"]),
            "greatest": np.maximum(a["greatest"], b["greatest"]),
        }

    def finish(self, units: Units, part: Part) -> Part:
        count = np.maximum(part["count"], 1)
        found: Part = {name: part[name] for name in ("count", "left_out", "silent", "least", "greatest")}
        for what in _WHAT:
            first, second = (floating(part[f"{what}_{power}_c"], part[f"{what}_{power}_f"]) / count for power in (1, 2))
            found[f"{what}_mean"] = first
            found[f"{what}_sd"] = np.sqrt(np.maximum(second - first**2, 0))
        return found


_WHAT = ("mean", "max")
