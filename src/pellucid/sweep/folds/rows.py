"""What is kept of every picture: one row each of chosen layers, and what the network says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Rows, Units, Working


@final
@dataclass(frozen=True)
class Embeddings(Rows):
    """The means over places of chosen layers (or the maxima), a row of float16 for each picture; NaN where there is
    none because it could not be read.
    """

    layers: tuple[str, ...] = ()
    maxima: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return "pooled" if self.maxima else "embeddings"

    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {f"at.{layer}": (units.channels[units.layer(layer)], np.dtype(np.float16)) for layer in self.layers}

    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        values = batch.maxima if self.maxima else batch.means
        with np.errstate(over="ignore"):  # what float16 cannot hold becomes infinite, and is seen to be
            return batch.images, {
                f"at.{layer}": values[:, units.of([layer])].astype(np.float16) for layer in self.layers
            }

    def height(self, images: int) -> int:
        return images

    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return images


@final
@dataclass(frozen=True, eq=False)
class Probe(Rows):
    """The largest activations of every unit on a random sample of the pictures, a row of float16 for each of them.

    For what needs units side by side on the same pictures: correlations, matching networks, samples of every decile.
    """

    chosen: NDArray[np.int64]
    """Numbers of the sampled pictures, sorted."""
    name = "probe"

    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"maxima": (len(units), np.dtype(np.float16))}

    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        mine = self.chosen[self.position(batch.images)] == batch.images
        with np.errstate(over="ignore"):
            return batch.images[mine], {"maxima": batch.maxima[mine].astype(np.float16)}

    def height(self, images: int) -> int:
        return len(self.chosen)

    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(self.chosen, images), len(self.chosen) - 1)


@final
@dataclass(frozen=True)
class ClassSums(Fold):
    """Of the units of some layers the sum of mean activations over the pictures of each class, in fixed point, and
    the counts.
    """

    classes: int
    layers: tuple[str, ...]
    name = "classes"

    def start(self, units: Units) -> Working:
        shape = (self.classes, len(units.of(self.layers)))
        return {"sums": np.zeros(shape, np.int64), "count": np.zeros(self.classes, np.int64)}

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        known = np.nonzero((batch.labels >= 0) & (batch.labels < self.classes))[0]
        values = batch.means[:, units.of(self.layers)].astype(np.float64)
        values = np.where(np.isfinite(values), values, 0).clip(-_MOST, _MOST) * SCALE
        integers = np.rint(values).astype(np.int64)
        for row in known:
            working["sums"][batch.labels[row]] += integers[row]
        working["count"] += np.bincount(batch.labels[known], minlength=self.classes)

    def pack(self, units: Units, working: Working) -> Part:
        present = np.nonzero(working["count"])[0]
        return {"class": present, "sums": working["sums"][present], "count": working["count"][present]}

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        working["sums"][part["class"]] += part["sums"]
        working["count"][part["class"]] += part["count"]

    def finish(self, units: Units, working: Working) -> Part:
        means = working["sums"] / SCALE / np.maximum(working["count"], 1)[:, None]
        return {"mean": means.astype(np.float32), "count": working["count"]}


SCALE = 2.0**20
"""Of the sums: a millionth is kept, and 2^22 pictures of up to 2^21 fit."""
_MOST = 2.0**21


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
