"""How wrong a map is: what it keeps of who was near whom."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.statistics import rank_correlation

NEAR = 10
"""Nearest images that are compared."""
_ASKED = 1000  # images whose neighbors are compared, of more than _ALL
_ALL = 3000
_PAIRS = 100_000


def quality(rows: Float[np.ndarray, "n channels"], places: Float[np.ndarray, "n 2"], seed: int) -> dict[str, float]:
    """What a map keeps of Euclidean distances between rows, each 1 at best.

    `recall`: of the k nearest images, the share that is among the k nearest on the map; of
    twenty images or fewer, k is less than half of them. `trust`: how few of
    those near on the map were far, `continuity`: how few of those that were near are far on the map, weighted by how
    far (Venna & Kaski 2001, equations 1 and 2). `rank`: Spearman's correlation of all distances. Of more than 3000
    images a thousand are asked about their neighbors among all, and of more than 100,000 pairs so many.
    """
    count = len(rows)
    near = max(min(NEAR, (count - 1) // 2), 1)
    chance = generator(seed, "quality")
    asked = np.arange(count) if count <= _ALL else np.sort(chance.choice(count, _ASKED, replace=False))
    kind = np.dtype(np.float64 if count <= _ALL else np.float32)
    rows = rows.astype(kind, copy=False)
    recalled = strange = lost = 0.0
    for start in steps(range(0, len(asked), 50), "quality"):
        which = asked[start : start + 50]
        high, low = _ranks(rows, which), _ranks(places.astype(kind, copy=False), which)
        both = (high <= near) & (low <= near)
        recalled += float(both.sum())
        strange += float((high - near)[(low <= near) & (high > near)].sum())
        lost += float((low - near)[(high <= near) & (low > near)].sum())
    most = len(asked) * near * (2 * count - 3 * near - 1) / 2
    return {
        "recall": recalled / (len(asked) * near),
        "trust": 1 - strange / most,
        "continuity": 1 - lost / most,
        "rank": rank_correlation(*_pairs(rows, places, chance)),
    }


def _ranks(points: Float[np.ndarray, "n d"], which: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m, n): how near every point is to those asked about, 1 the nearest; far away is the point itself."""
    apart = distances(points[which], points)
    apart[np.arange(len(which)), which] = np.inf
    order = np.argsort(apart, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(points) + 1)[None], axis=1)
    ranks[np.arange(len(which)), which] = 2**40
    return ranks


def distances(some: Float[np.ndarray, "m d"], all_: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "m n"]:
    """Squared distances. By |a|² + |b|² − 2ab, from the middle of all: what is left of rounding is small."""
    middle = all_.mean(0)
    a, b = some - middle, all_ - middle
    return np.asarray(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0))


def _pairs(
    rows: Float[np.ndarray, "n channels"], places: Float[np.ndarray, "n 2"], chance: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances of pairs, in both spaces."""
    count = len(rows)
    if count * (count - 1) // 2 <= _PAIRS:
        i, j = np.triu_indices(count, 1)
    else:
        i, j = chance.integers(0, count, _PAIRS), chance.integers(0, count - 1, _PAIRS)
        j = j + (j >= i)
    high, low = np.empty(len(i)), np.linalg.norm(places[i] - places[j], axis=1)
    for start in range(0, len(i), 4096):
        part = slice(start, start + 4096)
        high[part] = np.linalg.norm(rows[i[part]].astype(np.float64) - rows[j[part]], axis=1)
    return high, low
