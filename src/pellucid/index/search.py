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
) -> tuple[Float[np.ndarray, "m k"], Int[np.ndarray, "m k"]]:
    """(similarities, numbers) of the `count` rows most like each, best first, of equal ones the first.

    `cosine`: of the angle between two rows, 0 where one of them is all zeros; `euclidean`: minus their distance. In
    float32 over all rows, and the best of them once more in float64, so that no asked row depends on its neighbors.
    `squares` are the rows' squared lengths, where they are at hand.
    """
    squares = squared(rows) if squares is None else squares
    pieces = [slice(i, i + _PIECE) for i in range(0, len(rows), _PIECE)]
    products = np.concatenate(
        [asked.astype(np.float32) @ rows[one].astype(np.float32, copy=False).T for one in pieces], 1
    )
    count = min(count, len(rows))
    spare = min(count + 8, len(rows))  # float32 may have swapped neighbors
    values, numbers = np.empty((len(asked), count)), np.empty((len(asked), count), np.int64)
    for i, product in enumerate(products):
        whole = float(asked[i].astype(np.float64) @ asked[i])
        if metric == "cosine":
            scores = product / np.sqrt(np.maximum(squares * np.float32(whole), np.finfo(np.float32).tiny))
        else:
            scores = 2 * product - squares
        worst = float(np.partition(scores, len(scores) - spare)[len(scores) - spare])
        near = np.flatnonzero(scores >= worst - 1e-6 * max(abs(worst), whole if metric == "euclidean" else 1e-30))
        exact = _exact(asked[i].astype(np.float64), rows[near].astype(np.float64), metric)
        order = np.lexsort((near, -exact))[:count]
        values[i], numbers[i] = exact[order], near[order]
    return values, numbers


def squared(rows: Float[np.ndarray, "n channels"]) -> Float[np.ndarray, " n"]:
    """The squared length of every row."""
    pieces = [rows[i : i + _PIECE].astype(np.float32, copy=False) for i in range(0, len(rows), _PIECE)]
    return np.concatenate([np.einsum("nc,nc->n", one, one) for one in pieces])


def _exact(
    asked: Float[np.ndarray, " channels"], rows: Float[np.ndarray, "n channels"], metric: Metric
) -> Float[np.ndarray, " n"]:
    """The similarities of a few rows, each by itself."""
    if metric == "euclidean":
        return np.asarray(-np.sqrt(((rows - asked) ** 2).sum(1)))
    lengths = np.sqrt((rows**2).sum(1) * (asked**2).sum())
    return np.asarray((rows * asked).sum(1) / np.maximum(lengths, np.finfo(np.float64).tiny))
