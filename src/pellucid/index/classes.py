"""How choosy a unit is about classes: on its strongest images, and over the whole data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.index.changes import bar, resampled
from pellucid.index.folds.extremes import TopImages
from pellucid.index.index import Index
from pellucid.index.unit import Unit
from pellucid.result.table import Cell

Rows = list[dict[str, Cell]]


@dataclass(frozen=True, eq=False)
class Classes:
    """Which classes a unit's strongest images are of."""

    shares: Floats
    """Of the activation, largest first."""
    best: int
    needed: int
    """The fewest classes that have the threshold's share."""
    count: int

    @classmethod
    def of(cls, values: Floats, labels: NDArray[np.int64], threshold: float) -> Classes:
        """From activations and labels of the same images."""
        sums = np.bincount(labels, values)
        order = np.argsort(-sums, kind="stable")
        shares = sums[order][sums[order] > 0] / sums.sum()
        needed = int(np.searchsorted(shares.cumsum(), threshold - 1e-9)) + 1
        return cls(shares, int(order[0]), min(needed, len(shares)), len(values))

    @property
    def selectivity(self) -> float:
        """γ = (N − M) / (N − 1); NaN for one image."""
        return (self.count - self.needed) / (self.count - 1) if self.count > 1 else float("nan")

    @property
    def code(self) -> int:
        """How many classes have a tenth of the activation or more."""
        return int((self.shares >= 0.1 - 1e-12).sum())

    @property
    def entropy(self) -> float:
        """Of the classes' shares, in bits."""
        return float((self.shares * np.log2(1 / self.shares)).sum())


def class_means(values: Floats, labels: NDArray[np.int64], classes: int) -> tuple[Floats, Floats]:
    """(R, classes) means of values (R, n) by labels (R, n), and how many there are of each."""
    rows = np.arange(len(values))[:, None] * classes + labels
    sums = np.bincount(rows.ravel(), values.ravel(), len(values) * classes).reshape(len(values), classes)
    counts = np.bincount(rows.ravel(), minlength=len(values) * classes).reshape(len(values), classes).astype(float)
    return sums / np.where(counts > 0, counts, 1), counts


def morcos(values: Floats, labels: NDArray[np.int64], classes: int) -> Floats:
    """(R,) (μ_max − μ_others) / (μ_max + μ_others), of values (R, n): the best class against all others' mean."""
    means, counts = class_means(values, labels, classes)
    there = counts > 0
    best = np.where(there, means, -np.inf).max(1)
    number = there.sum(1)
    others = (np.where(there, means, 0).sum(1) - best) / np.where(number > 1, number - 1, 1)
    total = best + others
    known = (number > 1) & (total > 0) & (np.where(there, means, np.inf).min(1) >= 0)
    return np.asarray(np.where(known, (best - others) / np.where(known, total, 1), np.nan))


def class_rows(
    index: Index, unit: Unit, top: TopImages, threshold: float, resamples: int, seed: int
) -> tuple[Rows, list[str]]:
    """The rows of classes, of the strongest images and of the whole data set, and what is to be said of them."""
    labels = index.labels(top.images)
    known = labels >= 0
    if not known.any():
        return _whole(index, unit, resamples, seed), []
    values = top.values[known].astype(np.float64)
    numbers = labels[known]
    own = Classes.of(values, numbers, threshold)
    again = [
        Classes.of(values[one], numbers[one], threshold)
        for one in resampled(len(values), resamples, seed, f"{unit} class")
    ]
    over, label = f"top {len(values)}", index.classes[own.best]

    def error(name: str) -> Cell:
        return bar(np.array([getattr(one, name) for one in again], float)) if len(values) > 1 else None

    value = own.selectivity if len(values) > 1 else None
    rows: Rows = [
        {"index": "class", "value": value, "error": error("selectivity"), "over": over, "detail": label},
        {"index": "class, classes needed", "amount": own.needed, "error": error("needed"), "over": over},
        {"index": "class, population code", "amount": own.code, "error": error("code"), "over": over},
        {"index": "class, entropy", "amount": own.entropy, "error": error("entropy"), "over": over, "detail": "bits"},
    ]
    share = f"{own.shares[0]:.0%}".replace("%", " %")
    said = f"the class {label} has {share} of the activation on the {len(values)} strongest images"
    return [*rows, *_whole(index, unit, resamples, seed)], [said]


def _whole(index: Index, unit: Unit, resamples: int, seed: int) -> Rows:
    """Class selectivity over the whole data set: of means over places, and of maxima on the random probe."""
    layer, classes = index[unit.layer], len(index.classes)
    over = f"all {index.n_images}"
    value = _known(float(layer.class_selectivity[unit.channel]))
    rows: Rows = [{"index": "class, all images", "value": value, "over": over, "detail": "of means over places"}]
    if not index.has_sample:
        return rows
    images, maxima = layer.sample
    labels = index.labels(images)
    good = (labels >= 0) & np.isfinite(maxima[:, unit.channel])
    values, labels = maxima[good, unit.channel].astype(np.float64), labels[good]
    if len(values) > 1:
        drawn = resampled(len(values), resamples, seed, f"{unit} probe")
        error = bar(morcos(values[drawn], labels[drawn], classes))
        value = _known(float(morcos(values[None], labels[None], classes)[0]))
        name, over = "class, random images", f"random {len(values)}"
        rows.append({"index": name, "value": value, "error": error, "over": over, "detail": "of maxima over places"})
    return rows


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
