"""Moments, exactly: sums of whole numbers, which do not depend on their order, at any scale of the activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.sweep.fold import Batch, Fold, Part, Units, Working
from pellucid.sweep.folds.exact import PLACES, digits, integers, mean_and_deviation, packed

_BLOCK = 512
_WHAT = ("all", "max")
MOMENTS = ("count", "left_out", "silent", "least", "greatest", "mean", "sd", "max_mean", "max_sd")
"""What is read of the index, a number of each unit."""
_SUMS = tuple(f"{what}_{power}" for what in _WHAT for power in (1, 2))


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
        return {
            **{name: np.zeros((PLACES, n), np.int64) for name in _SUMS},
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
            good = np.isfinite(maxima)
            wide = maxima.astype(np.float64)
            if not good.all():
                wide, sampled = np.where(good, wide, 0), np.where(good[:, None], sampled, 0)
            working["count"][mine] += good.sum(0)
            working["left_out"][mine] += (~good).sum(0)
            working["silent"][mine] += (good & (wide == 0)).sum(0)
            # the squares of float32 have no error in float64; the samples of a picture are added in one order
            sums = {"max_1": wide, "max_2": wide * wide, "all_1": sampled.sum(1), "all_2": (sampled * sampled).sum(1)}
            for name, one in sums.items():
                for place, found in digits(one):
                    working[name][place, mine] += found.sum(0).astype(np.int64)
            low, high = (np.where(good, maxima, end) for end in (np.inf, -np.inf))
            working["least"][mine] = np.minimum(working["least"][mine], low.min(0))
            working["greatest"][mine] = np.maximum(working["greatest"][mine], high.max(0))

    def pack(self, units: Units, working: Working) -> Part:
        part: Part = {name: values.copy() for name, values in working.items() if name not in _SUMS}
        for name in _SUMS:
            part[f"{name}_at"], part[name] = packed(working[name])
        return part

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        for name in _SUMS:
            working[name][part[f"{name}_at"]] += part[name]
        for name in ("count", "left_out", "silent"):
            working[name] += part[name]
        working["least"] = np.minimum(working["least"], part["least"])
        working["greatest"] = np.maximum(working["greatest"], part["greatest"])

    def finish(self, units: Units, working: Working) -> Part:
        found: Part = {name: working[name] for name in ("count", "left_out", "silent", "least", "greatest")}
        for what in _WHAT:
            each = working["count"] * self.samples if what == "all" else working["count"]
            first, second = (integers(working[f"{what}_{power}"]) for power in (1, 2))
            name = "" if what == "all" else f"{what}_"
            found[f"{name}mean"], found[f"{name}sd"] = mean_and_deviation(first, second, each.tolist())
        return found
