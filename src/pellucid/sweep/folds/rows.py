"""What is kept of every picture: one row each of chosen layers, and what the network says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Rows, Units, Working
from pellucid.sweep.folds.exact import PLACES, digits, floating, packed


def halved(values: NDArray[np.float32], *, always: bool = False) -> tuple[NDArray[np.float16], NDArray[np.int16]]:
    """Rows (N, C) as float16, and the power of two that each (N, 1) was divided by so that it fits.

    Zero where it fits as it is, unless `always`. What is beyond float16 all the same becomes infinite.
    """
    largest = np.where(np.isfinite(values), np.abs(values), 0).max(1, initial=0, keepdims=True)
    power = np.where(largest > 0, np.frexp(largest)[1] - _POWER, 0)
    if not always:
        power = np.where((largest < _LEAST) | (largest > _MOST), power, 0)
    with np.errstate(over="ignore"):
        return np.ldexp(values, -power).astype(np.float16), power.astype(np.int16)


def restored(rows: NDArray[np.float16], power: NDArray[np.int16]) -> NDArray[np.float32]:
    """The numbers that rows of float16 stand for."""
    return np.ldexp(rows.astype(np.float32), power.astype(np.int32))


_POWER = 15  # of the largest number of a row: float16 reaches to 2^16, and is at its finest down to 2^-14
_LEAST, _MOST = 2.0**-6, 2.0**15  # of rows whose largest number lies between them, float16 keeps enough


@final
@dataclass(frozen=True)
class Embeddings(Rows):
    """The means over places of chosen layers (or the maxima), a row of float16 for each picture; NaN where there is
    none because it could not be read. A row that float16 does not hold well is divided by a power of two.
    """

    layers: tuple[str, ...] = ()
    maxima: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return "pooled" if self.maxima else "embeddings"

    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        rows = {f"at.{layer}": (units.channels[units.layer(layer)], np.dtype(np.float16)) for layer in self.layers}
        return {**rows, **{f"power.{layer}": (1, np.dtype(np.int16)) for layer in self.layers}}

    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        values = batch.maxima if self.maxima else batch.means
        found: dict[str, NDArray[Any]] = {}
        for layer in self.layers:
            found[f"at.{layer}"], found[f"power.{layer}"] = halved(values[:, units.of([layer])])
        return batch.images, found

    def height(self, images: int) -> int:
        return images

    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return images


@final
@dataclass(frozen=True, eq=False)
class Probe(Rows):
    """The largest activations of every unit on a random sample of the pictures, a row of float16 for each of them;
    those of each layer divided by a power of two.

    For what needs units side by side on the same pictures: correlations, matching networks, samples of every decile.
    """

    chosen: NDArray[np.int64]
    """Numbers of the sampled pictures, sorted."""
    name = "probe"

    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"maxima": (len(units), np.dtype(np.float16)), "power": (len(units.layers), np.dtype(np.int16))}

    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        mine = self.chosen[self.position(batch.images)] == batch.images
        values = batch.maxima[mine]
        maxima = np.empty(values.shape, np.float16)
        power = np.empty((len(values), len(units.layers)), np.int16)
        for i, channels in enumerate(units.channels):
            of_layer = slice(units.first(i), units.first(i) + channels)
            maxima[:, of_layer], power[:, i : i + 1] = halved(values[:, of_layer], always=True)
        return batch.images[mine], {"maxima": maxima, "power": power}

    def height(self, images: int) -> int:
        return len(self.chosen)

    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(self.chosen, images), len(self.chosen) - 1)


@final
@dataclass(frozen=True)
class ClassSums(Fold):
    """Of the units of some layers the exact sum of mean activations over the pictures of each class, and the counts."""

    classes: int
    layers: tuple[str, ...]
    name = "classes"

    def start(self, units: Units) -> Working:
        return {"sums": {}, "count": np.zeros(self.classes, np.int64)}

    def _sums(self, working: Working, units: Units, place: int) -> NDArray[np.int64]:
        """(classes, units) the digits at one place; most places have none, at whatever scale."""
        if place not in working["sums"]:
            working["sums"][place] = np.zeros((self.classes, len(units.of(self.layers))), np.int64)
        found: NDArray[np.int64] = working["sums"][place]
        return found

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        known = np.nonzero((batch.labels >= 0) & (batch.labels < self.classes))[0]
        values = batch.means[known][:, units.of(self.layers)].astype(np.float64)
        for place, found in digits(np.where(np.isfinite(values), values, 0)):
            sums = self._sums(working, units, place)
            for label, row in zip(batch.labels[known].tolist(), found.astype(np.int64), strict=True):
                sums[label] += row
        working["count"] += np.bincount(batch.labels[known], minlength=self.classes)

    def pack(self, units: Units, working: Working) -> Part:
        present = np.nonzero(working["count"])[0]
        width = len(units.of(self.layers))
        whole = np.zeros((PLACES, len(present), width), np.int64) if len(present) else np.zeros((PLACES, 0, width), int)
        for place, sums in working["sums"].items():
            whole[place] = sums[present]
        at, sums = packed(whole)
        return {"class": present, "at": at, "sums": sums, "count": working["count"][present]}

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        for place, sums in zip(part["at"].tolist(), part["sums"], strict=True):
            self._sums(working, units, place)[part["class"]] += sums
        working["count"][part["class"]] += part["count"]

    def finish(self, units: Units, working: Working) -> Part:
        width, count = len(units.of(self.layers)), working["count"]
        means = np.zeros((self.classes, width), np.float32)
        for label in np.nonzero(count)[0].tolist():
            one = np.zeros((PLACES, width), np.int64)
            for place, sums in working["sums"].items():
                one[place] = sums[label]
            means[label] = floating(one) / count[label]
        return {"mean": means, "count": count}


@final
@dataclass(frozen=True)
class Hashes(Rows):
    """Of every picture 64 bits of a hash of its bytes: whoever shows it later knows whether it is still the same."""

    name = "pictures"

    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"hash": (1, np.dtype(np.uint64))}

    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        none = np.zeros(len(batch.images), np.uint64)
        return batch.images, {"hash": (none if batch.hashes is None else batch.hashes)[:, None]}

    def height(self, images: int) -> int:
        return images

    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return images


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
