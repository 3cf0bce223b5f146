"""Accuracy by class and group: how far groups of a class are apart, and whether chance does as much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.net.answers import Answers, log_probabilities
from pellucid.rng import generator
from pellucid.statistics import holm, share_difference, wilson

DRAWS = 20_000
"""How often right answers are dealt out anew: no probability is below 1 over one more."""
Counts = Int[np.ndarray, "classes groups"]


@dataclass(frozen=True)
class Share:
    """How often the network is right about the images of one class in one group."""

    of_class: int
    group: str
    images: int
    right: int
    low: float
    high: float
    """The 95 % interval of the accuracy (Wilson)."""

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0..1."""
        return self.right / self.images


@dataclass(frozen=True)
class Gap:
    """The most and the least accurate of the groups that are compared."""

    best: str
    best_accuracy: float
    worst: str
    worst_accuracy: float
    low: float
    high: float
    """The 95 % interval of the difference (Newcombe 1998, method 10)."""
    p: float
    """Probability of groups so far apart, were the answers right in all of them equally often."""
    corrected: float
    """The same, corrected for all classes that are compared."""

    @property
    def apart(self) -> float:
        """Difference of the accuracies, 0..1."""
        return self.best_accuracy - self.worst_accuracy

    def __str__(self) -> str:
        """As a sentence says it."""
        chance = "p < .001" if self.corrected < 0.001 else f"p = {self.corrected:.2g}"
        return (
            f"right for {self.best_accuracy:.0%} of {self.best} and {self.worst_accuracy:.0%} of {self.worst}, "
            f"{100 * self.apart:.0f} points apart [{100 * self.low:.0f}, {100 * self.high:.0f}], {chance}"
        )


@dataclass(frozen=True, eq=False)
class Counted:
    """How many images there are of each class in each group, and how many of them are right."""

    classes: tuple[int, ...]
    """Their numbers among the network's, of those that there are."""
    groups: tuple[str, ...]
    right: Counts
    images: Counts

    @classmethod
    def of(cls, labels: NDArray[np.int64], groups: Sequence[str], right: NDArray[np.bool_]) -> Counted:
        """Of (N,) images, each of a class and a group, right or not."""
        classes, names = tuple(map(int, np.unique(labels))), tuple(sorted(set(groups)))
        found = np.zeros((2, len(classes), len(names)), np.int64)
        for label, group, hit in zip(labels, groups, right, strict=True):
            found[:, classes.index(int(label)), names.index(group)] += (int(hit), 1)
        return cls(classes, names, found[0], found[1])

    @property
    def shares(self) -> list[Share]:
        """Of each class in each group that has images of it; the least accurate group of a class first."""
        low, high = wilson(self.right.astype(float), self.images.astype(float))
        found = [
            Share(self.classes[k], self.groups[g], int(self.images[k, g]), int(self.right[k, g]), float(low[k, g]),
                  float(high[k, g]))
            for k, g in np.argwhere(self.images)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.of_class, one.accuracy))

    def gaps(self, least: int, seed: int) -> dict[int, Gap]:
        """Class -> its gap, where two groups have so many images of it; the largest first."""
        rows = [k for k, counts in enumerate(self.images) if (counts >= least).sum() > 1]
        found = [self._gap([k], least, seed, f"class {self.classes[k]}") for k in rows]
        told = zip(rows, found, holm([one.p for one in found]), strict=True)
        each = {self.classes[k]: replace(one, corrected=p) for k, one, p in told}
        return dict(sorted(each.items(), key=lambda row: -row[1].apart))

    def overall(self, least: int, seed: int) -> Gap | None:
        """The gap over all classes together, between groups with so many images; None for fewer than two of them."""
        enough = (self.images.sum(0) >= least).sum() > 1
        return self._gap([*range(len(self.classes))], least, seed, "all classes") if enough else None

    def _gap(self, rows: list[int], least: int, seed: int, which: str) -> Gap:
        columns = np.flatnonzero(self.images[rows].sum(0) >= least)
        right, images = (one[rows][:, columns] for one in (self.right, self.images))
        hits, counts = right.sum(0).astype(float), images.sum(0).astype(float)
        shares = hits / counts
        best, worst = (
            int(shares.argmax()),
            int(len(shares) - 1 - shares[::-1].argmin()),
        )  # two, also where all are equal
        names = [self.groups[int(columns[k])] for k in (best, worst)]
        ends = share_difference(*((float(hits[k]), float(counts[k])) for k in (best, worst)))
        p = homogeneity(right, images, seed, which)
        return Gap(names[0], float(shares[best]), names[1], float(shares[worst]), *ends, p, p)


def answers(net: Net, data: Data) -> Answers:
    """What the network says of all images, by their names in the data: files in two folders may be called the same.

    Images that cannot be read are left out. PellucidError where an answer is no number, and Refused as by
    `log_probabilities`.
    """
    numbers, parts = list[int](), list[Floats]()
    for batch in net.over(data):
        parts.append(log_probabilities(batch.run))
        numbers += batch.numbers
        if np.isnan(parts[-1]).any():
            raise PellucidError(f"{net.name} gives no finite numbers for images of {data}: no accuracy can be counted")
    return Answers(np.concatenate(parts), data.labels[numbers], tuple(data.name(i) for i in numbers))


def homogeneity(right: Counts, images: Counts, seed: int, *which: str) -> float:
    """The probability that chance alone sets groups as far apart: as many right answers of each class are dealt out to
    its images, whatever their group, 20,000 times. Compared is Pearson's sum of (found − expected)² / images; for two
    groups of one class this is an exact test with the margins of Fisher's, by the size of the difference.
    """
    expected = (images * (right.sum(1) / np.maximum(images.sum(1), 1))[:, None]).sum(0)
    sizes, chance = np.maximum(images.sum(0), 1), generator(seed, *which, "dealt out")

    def distance(hits: NDArray[np.int64]) -> Floats:
        return np.asarray(((hits - expected) ** 2 / sizes).sum(-1))

    drawn = np.zeros((DRAWS, images.shape[1]), np.int64)
    for row, hits in zip(images, right.sum(1), strict=True):
        drawn += chance.multivariate_hypergeometric(row, int(hits), DRAWS)
    beyond = distance(drawn) >= distance(right.sum(0)) * (1 - 1e-9) - 1e-12
    return float((beyond.sum() + 1) / (DRAWS + 1))
