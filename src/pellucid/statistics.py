"""Mean, variance and standard error of numbers that come one after another, and what else is written once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.geometry import Floats

Value = TypeVar("Value", float, Floats, Tensor)


class Moments(Generic[Value]):
    """Mean and variance of numbers, arrays or tensors of one shape, one sample after another (Welford 1962).

    Nothing is lost where the mean is large beside the spread, and the order of the samples alone decides the bits.
    `zero` is a zero of their shape. `squares` is the sum of the squared distances from the mean.
    """

    def __init__(self, zero: Value) -> None:
        self.count = 0
        self.mean: Value = zero
        self.squares: Value = zero

    def add(self, value: Value) -> tuple[Value, Value]:
        """One sample more. Gives its distance from the mean without it, and from the mean with it."""
        self.count += 1
        before = value - self.mean
        self.mean = self.mean + before / self.count
        after = value - self.mean
        self.squares = self.squares + before * after
        return before, after

    def absorb(self, count: int, mean: Value, squares: Value) -> None:
        """`count` samples more at once, of which mean and squares are known (Chan, Golub & LeVeque 1979)."""
        both, apart = self.count + count, mean - self.mean
        self.squares = self.squares + (squares + apart**2 * self.count * count / both)
        self.mean = self.mean + apart * count / both
        self.count = both

    def variance(self, ddof: int = 0) -> Value:
        """Of the samples themselves; with ddof=1, unbiased, of what they are drawn from. NaN or infinite for none."""
        return self.squares / (self.count - ddof)

    @property
    def sd(self) -> Value:
        """The standard deviation of the samples themselves."""
        return root(self.variance())


def standard_error(squares: Value, count: int) -> Value:
    """Of a mean over `count` independent samples whose squared distances from it sum to `squares`.

    √(squares / (n (n − 1))). Sums that rounding left below zero count as zero.
    """
    return root(squares * (squares > 0) / (count * (count - 1)))


def error_of_mean(values: Floats) -> Floats:
    """The same of samples at hand, (n, …) -> (…): their unbiased standard deviation / √n."""
    return np.asarray(values.std(0, ddof=1) / np.sqrt(len(values)))


NORMAL_95 = 1.959963984540054
"""Standard errors on either side of a mean that hold 95 % of a normal distribution."""


def wilson(hits: Floats, count: Floats) -> tuple[Floats, Floats]:
    """The 95 % interval of a share, `hits` out of `count` (Wilson 1927); 0 to 1 where nothing was counted.

    It does not leave 0 to 1, and has a width where all or none were hits.
    """
    hits, count = np.asarray(hits, float), np.asarray(count, float)
    z2 = NORMAL_95**2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(count > 0, hits / count, 0.5)
    middle = (share * count + z2 / 2) / (count + z2)
    half = NORMAL_95 * np.sqrt(share * (1 - share) * count + z2 / 4) / (count + z2)
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def share_difference(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of one share less another, each (hits, count), of different images (Newcombe 1998, method 10).

    It is made from the Wilson intervals of both, and has a width where both are 0 or 1.
    """
    hits, counts = np.array([first, second], float).T
    (p, q), ((low, under), (high, over)) = hits / counts, wilson(hits, counts)
    return float(p - q - math.hypot(p - low, over - q)), float(p - q + math.hypot(high - p, q - under))


def wilson_error(hits: Floats, count: Floats) -> Floats:
    """A standard error of that share: half the width of its 95 % interval, over 1.96. Never 0."""
    low, high = wilson(hits, count)
    found: Floats = (high - low) / (2 * NORMAL_95)
    return found


def share_of(hits: NDArray[np.bool_]) -> tuple[float, float]:
    """(the share of what is true, `wilson_error` of it)."""
    return float(hits.mean()), float(wilson_error(np.array([float(hits.sum())]), np.array([float(len(hits))]))[0])


def root(value: Value) -> Value:
    """The square root, correctly rounded, of a number, an array or a tensor."""
    if isinstance(value, Tensor):
        return value.sqrt()
    if isinstance(value, float):
        return math.sqrt(value)
    found: Floats = np.sqrt(value)
    return found


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's: the correlation of the ranks of (n,) numbers, equal ones at the mean of theirs; 0 where all are."""
    first, second = (one - one.mean() for one in map(_mean_ranks, (a, b)))
    size = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / size if size > 0 else 0.0


def _mean_ranks(values: Floats) -> Floats:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[which])


def auroc(above: Floats, below: Floats) -> tuple[float, float]:
    """(P(a > b) + P(a = b) / 2 for a out of `above` (M,) and b out of `below` (N,), its standard error).

    The error is that of DeLong 1988. NaN where one of them is empty.
    """
    if not len(above) or not len(below):
        return float("nan"), float("nan")
    placed, other = _placed(above, below), 1 - _placed(below, above)
    area = float(placed.mean())
    parts = [one.var(ddof=1) / len(one) if len(one) > 1 else 0.0 for one in (placed, other)]
    return area, float(np.sqrt(sum(parts)))


def _placed(these: Floats, among: Floats) -> Floats:
    """Of each the share of the others below it; ties count half."""
    ordered = np.sort(among)
    lower = np.searchsorted(ordered, these, side="left") + np.searchsorted(ordered, these, side="right")
    found: Floats = lower / (2 * len(among))
    return found


def holm(chances: Sequence[float]) -> list[float]:
    """The probabilities of several tests, each corrected for all (Holm 1979)."""
    found, largest = [0.0] * len(chances), 0.0
    for k, i in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        largest = max(largest, min(chances[i] * (len(chances) - k), 1.0))
        found[i] = largest
    return found


_ROUNDS = 100


def k_means(rows: Floats, count: int, starts: Sequence[np.random.Generator]) -> NDArray[np.int64]:
    """(N,) the cluster of each row (N, F), 0 to count − 1: the best of several starts of k-means++ (Arthur &
    Vassilvitskii 2007), one for each generator. A cluster may be left empty."""
    from scipy.spatial.distance import cdist

    best: tuple[float, NDArray[np.int64]] = (np.inf, np.zeros(len(rows), np.int64))
    for chance in starts:
        centers = _seeded(rows, count, chance)
        for _ in range(_ROUNDS):
            apart = cdist(rows, centers, "sqeuclidean")
            inside = apart.argmin(1)
            sums = np.stack([rows[inside == k].mean(0) if (inside == k).any() else centers[k] for k in range(count)])
            if np.array_equal(sums, centers):
                break
            centers = sums
        loss = float(apart[np.arange(len(rows)), inside].sum())
        if loss < best[0] - 1e-12:
            best = loss, inside
    return best[1]


def _seeded(rows: Floats, count: int, chance: np.random.Generator) -> Floats:
    """First centers, each drawn with a probability that rises with the squared distance from those before."""
    from scipy.spatial.distance import cdist

    picked = [int(chance.integers(len(rows)))]
    while len(picked) < count:
        apart = cdist(rows, rows[picked], "sqeuclidean").min(1)
        total = apart.sum()
        odds = apart / total if total > 0 else np.full(len(rows), 1 / len(rows))
        picked.append(int(chance.choice(len(rows), p=odds)))
    return rows[picked].copy()
