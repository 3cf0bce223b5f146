"""Clusters of the maps of one class: spectral relevance analysis, and how odd the reasons of a cluster are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

from pellucid.geometry import Floats
from pellucid.rng import generator
from pellucid.statistics import k_means

Numbers = NDArray[np.int64]
NEIGHBORS = 10
MOST = 8
"""Clusters, at the most; as many eigenvalues are handed back."""
_NOTHING = 0.02
"""Eigenvalues below this are as good as 0: those of the digits' classes without a tag begin at about 0.03."""
_STARTS = 10


@dataclass(frozen=True, eq=False)
class Parted:
    """The N maps of a class in K clusters, the largest first."""

    members: Numbers
    """(N,) the cluster of each."""
    eigenvalues: Floats
    """The smallest of the normalized graph Laplacian, rising from 0 (at most 2)."""
    isolation: Floats
    """(K,) from 0 to 1: what share of the graph's edges at a cluster (at the rest, where that has fewer) stays on its
    side. 1: no map of it has a neighbor elsewhere. 0 where there is one cluster."""

    @property
    def count(self) -> int:
        """How many clusters."""
        return len(self.isolation)

    @property
    def second(self) -> float:
        """The second eigenvalue: 0 where the class falls apart."""
        return float(self.eigenvalues[1]) if len(self.eigenvalues) > 1 else 1.0

    @property
    def gap(self) -> float:
        """From the last eigenvalue of a cluster to the next, which decides how many clusters there are."""
        inside = self.count < len(self.eigenvalues)
        return float(self.eigenvalues[self.count] - self.eigenvalues[self.count - 1]) if inside else 0.0


def shares(maps: Floats) -> Floats:
    """(N, …) maps, each divided by the sum of its absolute values; a map of zeros becomes NaN."""
    whole = np.abs(maps).reshape(len(maps), -1).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = maps / np.where(whole > 0, whole, np.nan).reshape(-1, *[1] * (maps.ndim - 1))
    return found


def parted(maps: Floats, seed: int = 0, neighbors: int = NEIGHBORS, most: int = MOST) -> Parted:
    """Spectral clusters of (N, …) maps: their number is that before the largest gap between eigenvalues, as a ratio.

    The graph joins each map with its nearest `neighbors`, of either (Lapuschkin et al. 2019, supplementary note 1);
    with fewer where there are less than 80 maps, so that few with one reason are still found. The order of the maps
    decides nothing but the order of the answer.
    """
    rows = shares(np.asarray(maps, np.float64)).reshape(len(maps), -1)
    order = np.lexsort(rows.T[::-1])  # whatever order they came in: sums and ties below depend on it
    graph = _graph(rows[order], min(neighbors, max(len(rows) // 8, 1)))
    values, vectors = _spectrum(graph, most)
    rises = values[1:] / np.maximum(values[:-1], _NOTHING)
    count = int(np.argmax(rises)) + 1 if len(rises) else 1
    inside = _means(vectors[:, :count], count, seed)
    sizes = np.bincount(inside, minlength=count)
    place = np.empty(count, np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(count)
    members = np.empty(len(rows), np.int64)
    members[order] = place[inside]
    return Parted(members, values, _isolation(graph, place[inside], count))


def _graph(rows: Floats, neighbors: int) -> Floats:
    """(N, N) 1 where one is among the nearest neighbors of the other. Of equally far ones all are."""
    if len(rows) < 2:
        return np.zeros((len(rows), len(rows)))
    apart = cdist(rows, rows)
    np.fill_diagonal(apart, np.inf)
    reach = np.partition(apart, neighbors - 1, axis=1)[:, neighbors - 1 : neighbors]
    near = apart <= reach * (1 + 1e-12)
    return np.asarray(near | near.T, np.float64)


def _spectrum(graph: Floats, most: int) -> tuple[Floats, Floats]:
    """The smallest eigenvalues of I − D^(−1/2) A D^(−1/2), one more than there may be clusters, and their vectors."""
    scale = 1 / np.sqrt(np.maximum(graph.sum(1), 1e-12))
    laplacian = np.eye(len(graph)) - scale[:, None] * graph * scale
    last = min(most, len(graph) - 1)
    values, vectors = eigh(laplacian, subset_by_index=(0, last))
    return np.asarray(np.where(values < 1e-9, 0.0, np.minimum(values, 2.0))), vectors


def _means(vectors: Floats, count: int, seed: int) -> Numbers:
    """k-means of the rows, scaled to length 1 (Ng et al. 2002): the best of several starts of k-means++."""
    if count == 1:
        return np.zeros(len(vectors), np.int64)
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return k_means(rows, count, [generator(seed, "k-means", start) for start in range(_STARTS)])


def _isolation(graph: Floats, members: Numbers, count: int) -> Floats:
    """1 − conductance of each cluster."""
    if count == 1:
        return np.zeros(1)
    found = np.empty(count)
    for k in range(count):
        inside = members == k
        cut = graph[inside][:, ~inside].sum()
        found[k] = 1 - cut / max(min(graph[inside].sum(), graph[~inside].sum()), 1.0)
    return found


@dataclass(frozen=True)
class Focus:
    """The place that a cluster looks at and others do not."""

    cell: tuple[int, int]
    own: float
    """Share of its attribution there, mean over its photos."""
    elsewhere: float
    """The same of all other photos."""

    @property
    def exclusive(self) -> float:
        """From 0 to 1: how much less of their attribution the others have there. 1: none."""
        return float(np.clip(1 - self.elsewhere / self.own, 0, 1)) if self.own > 0 else 0.0


def focus(maps: Floats, inside: NDArray[np.bool_]) -> Focus:
    """Of (N, S, S) maps those `inside` against all others: the cell that tells them apart best.

    The cell is chosen on one half of the cluster and measured on the other, in turn, so that chance finds none.
    """
    flat = np.abs(shares(maps)).reshape(len(maps), -1)
    mine, others = np.flatnonzero(inside), flat[~inside]
    mine = mine[np.lexsort(flat[mine].T[::-1])]
    beyond, wide = (others.mean(0), others.var(0)) if len(others) else (np.zeros(flat.shape[1]), 0.0)

    def cell(some: Floats) -> int:
        return int(np.argmax((some.mean(0) - beyond) / np.sqrt(some.var(0) + wide + 1e-12)))

    halves = [mine[::2], mine[1::2]] if len(mine) > 1 else [mine, mine]
    picked = [cell(flat[halves[1 - k]]) for k in (0, 1)]
    own = np.concatenate([flat[half, place] for half, place in zip(halves, picked, strict=True)])
    whole = cell(flat[mine])
    row, column = divmod(whole, maps.shape[2])
    return Focus((row, column), float(own.mean()), float(np.mean([beyond[place] for place in picked])))
