"""What is kept of every picture: one row each of chosen layers, and what the network says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Units


@final
@dataclass(frozen=True)
class Embeddings(Fold):
    """The means over places of chosen layers (or the maxima), a row of float16 for each picture."""

    layers: tuple[str, ...] = ()
    maxima: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return "pooled" if self.maxima else "embeddings"

    def facts(self) -> dict[str, object]:
        return {"layers": list(self.layers)}

    def start(self, units: Units) -> Part:
        wide = {layer: units.channels[units.layers.index(layer)] for layer in self.layers}
        return {"image": np.zeros(0, np.int64), **{f"at.{k}": np.zeros((0, n), np.float16) for k, n in wide.items()}}

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        part["image"] = np.concatenate([part["image"], batch.images])
        for layer in self.layers:
            first = units.number(layer, 0)
            rows = (batch.maxima if self.maxima else batch.means)[
                :, first : first + units.channels[units.layers.index(layer)]
            ]
            with np.errstate(over="ignore"):  # what float16 cannot hold becomes infinite, and is seen to be
                part[f"at.{layer}"] = np.concatenate([part[f"at.{layer}"], rows.astype(np.float16)])

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        return self.settle(units, {name: np.concatenate([a[name], b[name]]) for name in a})

    def settle(self, units: Units, part: Part) -> Part:
        order = np.argsort(part["image"])
        return {name: values[order] for name, values in part.items()}


@final
@dataclass(frozen=True, eq=False)
class Probe(Fold):
    """The largest activations of every unit on a random sample of the pictures, a row of float16 for each of them.

    For what needs units side by side on the same pictures: correlations, matching networks, samples of every decile.
    """

    chosen: NDArray[np.int64]
    """Numbers of the sampled pictures, sorted."""
    name = "probe"

    def start(self, units: Units) -> Part:
        return {"image": np.zeros(0, np.int64), "maxima": np.zeros((0, len(units)), np.float16)}

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        at = np.minimum(np.searchsorted(self.chosen, batch.images), max(len(self.chosen) - 1, 0))
        mine = self.chosen[at] == batch.images if len(self.chosen) else np.zeros(len(at), bool)
        if mine.any():
            part["image"] = np.concatenate([part["image"], batch.images[mine]])
            with np.errstate(over="ignore"):
                part["maxima"] = np.concatenate([part["maxima"], batch.maxima[mine].astype(np.float16)])

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        return self.settle(units, {name: np.concatenate([a[name], b[name]]) for name in a})

    def settle(self, units: Units, part: Part) -> Part:
        order = np.argsort(part["image"])
        return {name: values[order] for name, values in part.items()}


@final
@dataclass(frozen=True)
class ClassSums(Fold):
    """Of every unit the sum of its mean activations over the pictures of each class, in fixed point, and the counts."""

    classes: int
    name = "classes"

    def facts(self) -> dict[str, object]:
        return {"classes": self.classes}

    def start(self, units: Units) -> Part:
        return {"sums": np.zeros((self.classes, len(units)), np.int64), "count": np.zeros(self.classes, np.int64)}

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        known = np.nonzero((batch.labels >= 0) & (batch.labels < self.classes))[0]
        values = np.where(np.isfinite(batch.means), batch.means, 0).astype(np.float64).clip(-(2.0**21), 2.0**21)
        integers = np.rint(values * SCALE).astype(np.int64)
        np.add.at(part["sums"], batch.labels[known], integers[known])
        np.add.at(part["count"], batch.labels[known], 1)

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        return {name: a[name] + b[name] for name in a}

    def finish(self, units: Units, part: Part) -> Part:
        means = part["sums"] / SCALE / np.maximum(part["count"], 1)[:, None]
        return {"mean": means.astype(np.float32), "count": part["count"]}


SCALE = 2.0**20
"""Of the sums: a millionth is kept, and 2^22 pictures of up to 2^21 fit."""


def morcos(means: NDArray[np.float32], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """(units,): (μ_max − μ_others) / (μ_max + μ_others) over class means (Morcos et al. 2018, equation 1)."""
    present = means[count > 0].astype(np.float64)
    if len(present) < 2:
        return np.full(means.shape[1], np.nan)
    best = present.max(0)
    others = (present.sum(0) - best) / (len(present) - 1)
    whole = best + others
    return np.where(whole > 0, (best - others) / np.where(whole > 0, whole, 1), np.nan)
