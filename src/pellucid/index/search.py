"""The nearest rows among many: exact, by products of matrices."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Metric = Literal["cosine", "euclidean"]
_PIECE = 16_384  # rows at once: float16 becomes float32 in pieces that stay in the cache


def nearest(
    asked: Float[np.ndarray, "m channels"],
    rows: Float[np.ndarray, "n channels"],
    count: int,
    metric: Metric,
    squares: Float[np.ndarray, " n"] | None = None,
    center: Float[np.ndarray, " channels"] | None = None,
) -> tuple[Float[np.ndarray, "m k"], Int[np.ndarray, "m k"]]:
    """(similarities, numbers) of the `count` rows most like each, best first, of equal ones the first.

    `cosine`: of the angle between two rows, 0 where one of them is all zeros; `euclidean`: minus their distance. In
    float32 over all rows, and those that may be among the best, as float32 rounds, once more in float64: no asked row
    depends on its neighbors. `squares` are the rows' squared lengths, where they are at hand; `center` is subtracted
    from all rows, of which the squares then are.
    """
    squares = squared(rows, center) if squares is None else squares
    wide = asked.astype(np.float64) if center is None else asked.astype(np.float64) - center
    # rows are not moved to the center one by one: what that takes off a product is the same for all
    products = _products(wide.astype(np.float32), rows)
    size, rounding = np.sqrt(squares), np.float32(2 * np.finfo(np.float32).eps * rows.shape[1] ** 0.5)
    reach = size + np.float32(0 if center is None else np.linalg.norm(center))  # no row is longer
    apart = np.divide(1, size, out=np.zeros_like(size), where=size > 0)
    slack = np.where(size > 0, rounding * (1 + reach * apart), np.float32(np.inf))
    count = min(count, len(rows))
    values, numbers = np.empty((len(asked), count)), np.empty((len(asked), count), np.int64)
    for i, one in enumerate(wide):
        product = products[i] if center is None else products[i] - np.float32(one @ center)
        length = np.float32(max(float(np.linalg.norm(one)), 1e-30))
        if metric == "cosine":
            scores, off = product * apart / length, slack
        else:
            scores, off = 2 * product - squares, rounding * (2 * length * reach + squares)
        surely = scores - off
        near = np.flatnonzero(scores + off >= np.partition(surely, len(surely) - count)[len(surely) - count])
        some = rows[near].astype(np.float64)
        exact = _exact(one, some if center is None else some - center, metric)
        order = np.lexsort((near, -exact))[:count]
        values[i], numbers[i] = exact[order], near[order]
    return values, numbers


def _products(
    asked: Float[np.ndarray, "m channels"], rows: Float[np.ndarray, "n channels"]
) -> Float[np.ndarray, "m n"]:
    found = np.empty((len(asked), len(rows)), np.float32)
    for i in range(0, len(rows), _PIECE):
        one = _narrow(rows[i : i + _PIECE], None)
        if len(asked) == 1:  # a product with a vector reads the rows once, one of matrices copies them
            found[0, i : i + _PIECE] = one @ asked[0]
        else:
            found[:, i : i + _PIECE] = asked @ one.T
    return found


def squared(
    rows: Float[np.ndarray, "n channels"], center: Float[np.ndarray, " channels"] | None = None
) -> Float[np.ndarray, " n"]:
    """The squared length of every row, from the center where there is one."""
    pieces = [_narrow(rows[i : i + _PIECE], center) for i in range(0, len(rows), _PIECE)]
    return np.concatenate([np.einsum("nc,nc->n", one, one) for one in pieces])


def mean_of(rows: Float[np.ndarray, "n channels"]) -> Float[np.ndarray, " channels"]:
    """The mean of all rows in float64, a piece at a time."""
    return np.asarray(
        sum(rows[i : i + _PIECE].sum(0, dtype=np.float64) for i in range(0, len(rows), _PIECE)) / len(rows)
    )


def _narrow(
    rows: Float[np.ndarray, "n channels"], center: Float[np.ndarray, " channels"] | None
) -> Float[np.ndarray, "n channels"]:
    found = rows.astype(np.float32, copy=False)
    return found if center is None else found - center.astype(np.float32)


def _exact(
    asked: Float[np.ndarray, " channels"], rows: Float[np.ndarray, "n channels"], metric: Metric
) -> Float[np.ndarray, " n"]:
    """The similarities of a few rows, each by itself."""
    if metric == "euclidean":
        return np.asarray(-np.sqrt(((rows - asked) ** 2).sum(1)))
    lengths = np.sqrt((rows**2).sum(1) * (asked**2).sum())
    return np.asarray((rows * asked).sum(1) / np.maximum(lengths, np.finfo(np.float64).tiny))
