"""What the neighbors of an example say of its label: the share that has another, and the example's Shapley value."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.index.search import mean_of, squared
from pellucid.index.search import nearest as rows_like
from pellucid.progress import steps

_BLOCK = 2**24
"""Similarities that are held at once."""


def unit_rows(features: Float[np.ndarray, "n f"]) -> Floats:
    """(N, F) rows less their mean, of length 1, in float64; rows without a length stay 0.

    Uncentered features of an early layer all point one way, so that cosines say nothing.
    """
    wide = np.asarray(features, np.float64)
    wide = wide - wide.mean(0)
    lengths = np.sqrt((wide**2).sum(1, keepdims=True))
    return np.asarray(wide / np.where(lengths > 0, lengths, 1))


def nearest(features: Float[np.ndarray, "n f"], count: int) -> Int[np.ndarray, "n k"]:
    """(N, K) the numbers of the nearest other rows by cosine about the mean of all, the most similar first; of equally
    similar ones the first. K is `count`, or N − 1 where there are fewer."""
    return nearest_to(features, np.arange(len(features)), count)


def nearest_to(features: Float[np.ndarray, "n f"], which: Int[np.ndarray, " m"], count: int) -> Int[np.ndarray, "m k"]:
    """(M, K) the same for some of the rows."""
    many = len(features)
    count = min(count, many - 1)
    if count < 1:
        raise PellucidError(f"neighbors among {many} examples: two at the least, and one neighbor")
    center, found = mean_of(features), np.empty((len(which), count), np.int64)
    squares, step = squared(features, center), max(_BLOCK // many, 1)
    for start in steps(range(0, len(which), step), "neighbors"):
        mine = which[start : start + step]
        _, near = rows_like(features[mine], features, count + 1, "cosine", squares, center)
        own = near == mine[:, None]
        own[:, -1] |= ~own.any(1)  # one of so many equal rows that it is not among the first itself
        found[start : start + step] = near[~own].reshape(len(mine), count)
    return found


def disagreement(neighbors: Int[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> Floats:
    """(N,) the share of an example's neighbors whose given class is another, 0..1."""
    return np.asarray((labels[neighbors] != labels[:, None]).mean(1))


def shapley(
    rows: Float[np.ndarray, "n f"],
    labels: Int[np.ndarray, " n"],
    tests: Float[np.ndarray, "m f"],
    test_labels: Int[np.ndarray, " m"],
    count: int,
) -> Floats:
    """(N,) the Shapley value of each example in a vote of the `count` nearest about test examples, (M, F) and (M,):
    what it adds to the share of right votes, over all orders in which examples could have been collected, exactly.

    From the farthest on: s_N = 1[y_N = y] / N, s_i = s_{i+1} + (1[y_i = y] − 1[y_{i+1} = y]) / K · min(K, i) / i
    (Jia et al. 2019, theorem 1). Values of all examples have the sum of the utility, the mean over tests of the share
    of the K votes that are right. Raises PellucidError where there are fewer than K examples.
    """
    many = len(rows)
    if not 1 <= count <= many:
        raise PellucidError(f"votes of the {count} nearest among {many} examples: 1 to {many}")
    total = np.zeros(many)
    places = np.arange(1, many, dtype=np.float64)
    factor = np.minimum(count, places) / (places * count)
    step = max(_BLOCK // many, 1)
    for start in steps(range(0, len(tests), step), "votes of neighbors"):
        alike = tests[start : start + step] @ rows.T
        order = np.argsort(-alike, axis=1, kind="stable")
        right = (labels[order] == test_labels[start : start + step, None]).astype(np.float64)
        values = np.empty_like(right)
        values[:, -1] = right[:, -1] / many
        rises = (right[:, :-1] - right[:, 1:]) * factor
        values[:, :-1] = values[:, -1:] + np.cumsum(rises[:, ::-1], axis=1)[:, ::-1]
        np.add.at(total, order.ravel(), values.ravel())
    return total / max(len(tests), 1)


def shapley_held_out(
    rows: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], count: int, fold: Int[np.ndarray, " n"]
) -> Floats:
    """(N,) the same where no other examples are known to be right: each example's mean over the other folds, whose
    examples it votes about; values are for a fold as large as the rest, so that all can be compared."""
    found = np.zeros(len(rows))
    for one in np.unique(fold):
        mine, others = fold != one, fold == one
        found[mine] += shapley(rows[mine], labels[mine], rows[others], labels[others], min(count, int(mine.sum())))
    return found / max(len(np.unique(fold)) - 1, 1)
