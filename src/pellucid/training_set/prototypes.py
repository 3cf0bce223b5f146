"""Prototypes and criticisms: few rows that stand for many, and those that they stand for worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.optimize import nnls

from pellucid.geometry import Floats
from pellucid.index.search import mean_of
from pellucid.progress import steps
from pellucid.rng import generator

_EXACT = 4096
"""Rows up to which products are in float64; beyond, in float32, and all sums in float64."""
_TILE = 2048  # rows by rows at once: 32 MB of similarities, whatever the number of rows
_PAIRS = 2000  # rows whose distances the median is taken of, where there are more
_LEAST = 1e-12
"""Below this a row that is a criticism already, or nearly, adds nothing to the determinant."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """k(x, x') = exp(−γ ‖x − x'‖²) over N rows, of which no more than a tile of N × N is ever there."""

    rows: Float[np.ndarray, "n f"]
    """About their mean, in the precision of the products."""
    squares: Float[np.ndarray, " n"]
    gamma: float

    @classmethod
    def of(cls, rows: Float[np.ndarray, "n f"], gamma: float | None = None, seed: int = 0) -> Kernel:
        """With γ = 1 / the median of the squared distances of two rows, unless it is given; of more than 2,000 rows,
        of so many drawn at random. Where half of all pairs are equal it is the mean that counts.
        """
        kind = np.float64 if len(rows) <= _EXACT else np.float32
        center = mean_of(rows)
        moved = np.empty(rows.shape, kind)
        for i in range(0, len(rows), _TILE):
            moved[i : i + _TILE] = rows[i : i + _TILE].astype(np.float64) - center
        squares = np.einsum("nf,nf->n", moved, moved, dtype=kind)
        return cls(moved, squares, _gamma(moved, seed) if gamma is None else gamma)

    def __len__(self) -> int:
        return len(self.rows)

    def of_rows(self, which: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m n"]:
        """(M, N) similarities of some rows to all, in float64."""
        found = np.empty((len(which), len(self)))
        for i in range(0, len(self), _TILE):
            found[:, i : i + _TILE] = self._tile(self.rows[which], self.squares[which], i)
        return found

    def means(self) -> Floats:
        """(N,) the mean similarity of each row to all: N² similarities, a tile at a time."""
        sums = np.zeros(len(self))
        starts = range(0, len(self), _TILE)
        for i in steps(starts, "similarities of all") if len(starts) > 1 else starts:
            for j in starts[i // _TILE :]:  # the matrix is symmetric
                tile = self._tile(self.rows[i : i + _TILE], self.squares[i : i + _TILE], j)
                sums[i : i + _TILE] += tile.sum(1, dtype=np.float64)
                if j > i:
                    sums[j : j + _TILE] += tile.sum(0, dtype=np.float64)
        return sums / len(self)

    def _tile(self, rows: NDArray[np.floating], squares: NDArray[np.floating], j: int) -> NDArray[np.floating]:
        """Similarities of rows to those from j on."""
        found = rows @ self.rows[j : j + _TILE].T
        found *= 2
        found -= squares[:, None]
        found -= self.squares[j : j + _TILE]
        np.minimum(found, 0, out=found)  # rounding may make a distance negative
        found *= self.gamma
        return np.asarray(np.exp(found, out=found))


def _gamma(rows: NDArray[np.floating], seed: int) -> float:
    """1 / the median of the squared distances of all pairs of rows; 1 where all are equal."""
    if len(rows) > _PAIRS:
        rows = rows[np.sort(generator(seed, "median").choice(len(rows), _PAIRS, replace=False))]
    rows = rows.astype(np.float64)
    squares = (rows**2).sum(1)
    apart = (squares[:, None] + squares - 2 * rows @ rows.T)[np.triu_indices(len(rows), 1)]
    apart = np.maximum(apart, 0)
    middle = float(np.median(apart)) if len(apart) else 0.0
    if middle <= _LEAST * max(float(squares.max(initial=0)), _LEAST):
        middle = float(apart.mean()) if len(apart) else 0.0
    return 1 / middle if middle > 0 else 1.0


@dataclass(frozen=True, eq=False)
class Standing:
    """M of N rows that stand for all, in the order in which they were chosen."""

    rows: Int[np.ndarray, " m"]
    weights: Float[np.ndarray, " m"]
    """What each counts for, 0 or more; of equal ones 1 / M."""
    mmd2: Float[np.ndarray, " m"]
    """Squared maximum mean discrepancy of the first 1, 2, … M of them from all, each with the weights that these have
    by themselves."""
    similar: Float[np.ndarray, "m n"]
    """k of each to all rows."""


def mmd2(
    means: Float[np.ndarray, " n"], rows: Int[np.ndarray, " m"], similar: Float[np.ndarray, "m n"],
    weights: Float[np.ndarray, " m"],
) -> float:  # fmt: skip
    """Squared maximum mean discrepancy of weighted rows from all: mean k(x, x') − 2 Σ w μ + wᵀ K w, with μ the mean
    similarity of a row to all.
    """
    between = similar[:, rows]
    return float(means.mean() - 2 * weights @ means[rows] + weights @ between @ weights)


def mmd_critic(kernel: Kernel, means: Float[np.ndarray, " n"], count: int) -> Standing:
    """Greedily the rows that make J(S) = 2/(n|S|) Σ k(x, s) − 1/|S|² Σ k(s, s') largest, of equal ones the first."""
    chosen, similar, found = list[int](), np.zeros((count, len(kernel))), list[float]()
    toward = np.zeros(len(kernel))  # Σ over chosen rows of k to each
    for m in range(count):
        gains = 2 * means - (2 * toward + 1) / (m + 1)  # (m + 1) · J(S + j), without what no j changes
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        similar[m] = kernel.of_rows(np.array(chosen[-1:]))[0]
        toward += similar[m]
        rows = np.array(chosen)
        found.append(mmd2(means, rows, similar[: m + 1], np.full(m + 1, 1 / (m + 1))))
    return Standing(np.array(chosen, np.int64), np.full(count, 1 / count), np.array(found), similar)


def proto_dash(kernel: Kernel, means: Float[np.ndarray, " n"], count: int) -> Standing:
    """Greedily the rows and weights ≥ 0 that make l(w) = wᵀμ − ½ wᵀKw largest: next comes the row along which it rises
    most, and then all weights are found anew. Fewer than `count` where no further row raises it.
    """
    chosen, weights, similar, found = list[int](), np.zeros(0), np.zeros((count, len(kernel))), list[float]()
    for m in range(count):
        rises = means - weights @ similar[:m]
        rises[chosen] = -np.inf
        best = int(rises.argmax())
        if rises[best] <= _LEAST:
            break
        chosen.append(best)
        similar[m] = kernel.of_rows(np.array([best]))[0]
        weights = weights_of(similar[: m + 1, chosen], means[chosen])
        found.append(mmd2(means, np.array(chosen), similar[: m + 1], weights))
    return Standing(np.array(chosen, np.int64), weights, np.array(found), similar[: len(chosen)])


def weights_of(between: Float[np.ndarray, "m m"], means: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """The weights w ≥ 0 that make wᵀμ − ½ wᵀKw largest: the least squares of Lᵀw = L⁻¹μ with K = LLᵀ, none negative."""
    lower = np.linalg.cholesky(between + _LEAST * np.eye(len(between)))
    return np.asarray(nnls(lower.T, np.linalg.solve(lower, means))[0])


def criticisms(
    kernel: Kernel, means: Float[np.ndarray, " n"], standing: Standing, count: int
) -> tuple[Int[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """(rows, their witness): greedily those that make Σ |witness| + log det K largest, none of them a prototype.

    The witness of x is mean k(x, ·) over all rows less Σ w k(x, prototype): positive where the prototypes stand for too
    little, negative where they stand for too much. The determinant keeps criticisms apart from one another.
    """
    witness = means - standing.weights @ standing.similar
    count = min(count, len(kernel) - len(standing.rows))
    chosen, left = list[int](), np.ones(len(kernel))
    basis = np.zeros((count, len(kernel)))  # rows of the Cholesky factor of K over what is chosen
    for c in range(count):
        gains = np.abs(witness) + np.log(np.maximum(left, _LEAST))
        gains[standing.rows] = gains[chosen] = -np.inf
        best = int(gains.argmax())
        chosen.append(best)
        basis[c] = kernel.of_rows(np.array([best]))[0] - basis[:c, best] @ basis[:c]
        basis[c] /= np.sqrt(max(left[best], _LEAST))
        left = np.maximum(left - basis[c] ** 2, 0)
    rows = np.array(chosen, np.int64)
    return rows, witness[rows]


def nearest_of(
    rows: Float[np.ndarray, "n f"], some: Float[np.ndarray, "m f"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """(which of some rows is nearest to each, its squared distance), a tile at a time; of equal ones the first."""
    center = mean_of(some)
    some = some.astype(np.float64) - center
    squares = (some**2).sum(1)
    which, apart = np.empty(len(rows), np.int64), np.empty(len(rows))
    for i in range(0, len(rows), _TILE):
        part = rows[i : i + _TILE].astype(np.float64) - center
        scores = squares - 2 * part @ some.T
        which[i : i + _TILE] = scores.argmin(1)
        apart[i : i + _TILE] = np.maximum(scores.min(1) + (part**2).sum(1), 0)
    return which, apart
