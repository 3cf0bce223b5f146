"""The curvature of a softmax layer's loss: products with it, and equations solved with it, exactly or as exactly as
is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy import linalg

from pellucid.progress import stop_point

DENSE = 2048
"""Parameters of a layer whose matrix is made and factored; beyond, equations are solved by conjugate gradients."""
PIECE = 2048
"""Rows at once: their products take a bounded part of the memory, however many there are."""
_SHARP = 1e-5
"""How far float32 brings a residual down; what is left is computed in float64 and solved for again."""
_AIM = 0.9  # of the tolerance, in float32
_CHECKED = 1e-3  # tolerances from here on are those of a residual in float64


Product = Callable[[NDArray[Any]], NDArray[np.float64]]


class Solved(NamedTuple):
    """Solutions (K, C, F + 1), the largest ‖b − H x‖ / ‖b‖ of them, and how many steps they took (0: factored)."""

    values: Float[np.ndarray, "k c g"]
    residual: float
    steps: int


def softmax(logits: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n c"]:
    """(N, C) probabilities."""
    found = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(found / found.sum(1, keepdims=True))


def with_one(features: Float[np.ndarray, "n f"], kind: type[np.floating[Any]] = np.float64) -> Float[np.ndarray, "n g"]:
    """(N, F) -> (N, F + 1) in float64: what weight and bias of a linear layer read."""
    found = np.ones((len(features), features.shape[1] + 1), kind)
    found[:, :-1] = features
    return found


@dataclass(frozen=True, eq=False)
class Curvature:
    """H = 1/N Σ_i (diag p_i − p_i p_iᵀ) ⊗ [h_i; 1][h_i; 1]ᵀ + λ: the Hessian of 1/N Σ_i −log p_i[y_i] + λ/2 ‖θ‖² by
    weights and biases θ (C, F + 1) of a softmax layer, which is its Gauss-Newton matrix and its Fisher matrix too.

    `features` (N, F) and `probabilities` (N, C) in any precision, `damping` λ > 0. No more than 2,048 rows are worked
    on at once.
    """

    features: Float[np.ndarray, "n f"]
    probabilities: Float[np.ndarray, "n c"]
    damping: float

    @property
    def shape(self) -> tuple[int, int]:
        """(C, F + 1)."""
        return self.probabilities.shape[1], self.features.shape[1] + 1

    @property
    def narrow(self) -> bool:
        """Whether the matrix is small enough to be factored."""
        return self.shape[0] * self.shape[1] <= DENSE

    @property
    def tolerance(self) -> float:
        """How exactly equations are solved: 1e-6 of the right side where that is cheap, else 1e-4."""
        return 1e-6 if self.narrow else 1e-4

    def times(
        self,
        values: Float[np.ndarray, "k c g"],
        without: Sequence[NDArray[np.int64]] = (),
        kind: type[np.floating[Any]] = np.float64,
    ) -> Float[np.ndarray, "k c g"]:
        """H v of each of K; `without` some rows for each, which leave 1/N as it is. The rows of a piece are multiplied
        in the precision `kind`, pieces are added in float64."""
        found, few = self.damping * values, values.astype(kind)
        for x, p in self._pieces(kind):
            for k, one in enumerate(few):
                found[k] += _product(x, p, one) / len(self.features)
        for k, rows in enumerate(without):
            x, p = with_one(self.features[rows], kind), self.probabilities[rows].astype(kind)
            found[k] -= _product(x, p, few[k]) / len(self.features)
        return found

    def solve(
        self,
        wanted: Float[np.ndarray, "k c g"],
        tolerance: float = 1e-8,
        most: int = 400,
        *,
        without: Sequence[NDArray[np.int64]] = (),
        dense: bool | None = None,
    ) -> Solved:
        """x with H x = b, for each of K, `without` some rows for each of them. Factored where H is small and whole;
        else by conjugate gradients, preconditioned by that factor or class by class, until ‖b − H x‖ ≤ `tolerance` ‖b‖
        or after so many steps. Where 1e-3 or less is asked for that residual is computed in float64, whatever the
        products of the steps were.
        """
        factored = self.narrow if dense is None else dense
        if factored and not len(without):
            found, step = self._factored(wanted), 0
        elif factored:
            product = partial(self.times, without=without)
            found, _, step = _conjugate(product, self._factored, wanted, tolerance, most)
        else:
            each = [
                self._by_products(one, tolerance, most, without[k] if len(without) else None)
                for k, one in enumerate(wanted)
            ]
            values = np.concatenate([one.values for one in each]) if each else np.zeros_like(wanted)
            far, taken = max((one.residual for one in each), default=0.0), max((one.steps for one in each), default=0)
            return Solved(values, far, taken)
        return Solved(found, float(_relative(wanted - self.times(found, without), wanted).max(initial=0)), step)

    def _by_products(
        self, wanted: Float[np.ndarray, "c g"], tolerance: float, most: int, rows: NDArray[np.int64] | None
    ) -> Solved:
        """One equation: conjugate gradients by products in float32 as far as these go, then again for what is left of
        the right side in float64."""
        whole, without = wanted[None], () if rows is None else (rows,)
        found, left, step, off = np.zeros_like(whole), whole, 0, 1.0
        product = partial(self.times, without=without, kind=np.float32)
        while True:
            aim = max(_AIM * tolerance / off, _SHARP)
            more, rest, taken = _conjugate(product, self._near, left, aim, most - step)
            found, step, before = found + more, step + taken, off
            left = rest if tolerance > _CHECKED else whole - self.times(found, without)
            off = float(_relative(left, whole).max())
            if off <= tolerance or step >= most or off > 0.9 * before:
                return Solved(found, off, step)

    def _near(self, left: Float[np.ndarray, "k c g"]) -> Float[np.ndarray, "k c g"]:
        """Of each class by itself, its block taken to be π m mᵀ + a diagonal: π the mean of p (1 − p), m the mean of
        [h; 1] with these weights, and the diagonal the spread about it plus λ (Sherman & Morrison 1950). What all
        classes have in common H multiplies by λ alone, so that is taken apart."""
        share, mean, spread = self._blocks
        common = left.mean(1, keepdims=True)
        apart, base = left - common, spread + self.damping
        along = mean / base
        # 1 / π + mᵀ D⁻¹ m, multiplied through by π, which may be 0
        rate = share[:, None] * (apart * along).sum(2, keepdims=True) / (1 + share * (mean * along).sum(1))[:, None]
        found = apart / base - rate * along
        return np.asarray(found - found.mean(1, keepdims=True) + common / self.damping)

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(π (C,), m (C, F + 1), the spread (C, F + 1)) of every class."""
        share, sums, squares = np.zeros(self.shape[0]), np.zeros(self.shape), np.zeros(self.shape)
        for x, p in self._pieces(np.float32):
            weight = (p * (1 - p)).T
            share += weight.sum(1, dtype=np.float64)
            sums += weight @ x
            squares += weight @ x**2
        mean = sums / np.maximum(share, 1e-300)[:, None]
        return share / len(self.features), mean, np.maximum(squares - sums * mean, 0) / len(self.features)

    def _pieces(self, kind: type[np.floating[Any]] = np.float64) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for i in range(0, len(self.features), PIECE):
            one = slice(i, i + PIECE)
            yield with_one(self.features[one], kind), self.probabilities[one].astype(kind, copy=False)

    @cached_property
    def _factor(self) -> tuple[NDArray[np.float64], bool]:
        """The Cholesky factor of the whole matrix."""
        classes, width = self.shape
        found = np.zeros((classes, width, classes, width))
        for x, p in self._pieces():
            for a in range(classes):
                for b in range(a + 1):
                    weight = p[:, a] * ((a == b) - p[:, b]) / len(self.features)
                    found[a, :, b] += (x * weight[:, None]).T @ x
        flat = found.reshape(classes * width, classes * width)
        flat[np.diag_indices_from(flat)] += self.damping
        factor, lower = linalg.cho_factor(flat, lower=True, overwrite_a=True)
        return factor, lower

    def _factored(self, values: Float[np.ndarray, "k c g"]) -> Float[np.ndarray, "k c g"]:
        return np.asarray(linalg.cho_solve(self._factor, values.reshape(len(values), -1).T).T.reshape(values.shape))


def _conjugate(
    product: Product,
    near: Product,
    wanted: Float[np.ndarray, "k c g"],
    tolerance: float,
    most: int,
) -> tuple[Float[np.ndarray, "k c g"], Float[np.ndarray, "k c g"], int]:
    """(x, what is left of the right side, steps) of conjugate gradients, for each of K by itself."""
    x, left, step = np.zeros_like(wanted), wanted.copy(), 0
    z = near(left)
    along, power = z.copy(), _dots(left, z)
    while step < most and _relative(left, wanted).max(initial=0) > tolerance:
        stop_point()
        made = product(along)
        rate = _quotient(power, _dots(along, made))
        x += rate * along
        left -= rate * made
        z = near(left)
        now = _dots(left, z)
        along = z + _quotient(now, power) * along
        power, step = now, step + 1
    return x, left, step


def _relative(left: Float[np.ndarray, "k c g"], wanted: Float[np.ndarray, "k c g"]) -> Float[np.ndarray, "k 1 1"]:
    return np.asarray(np.sqrt(_quotient(_dots(left, left), _dots(wanted, wanted))))


def _product(
    x: Float[np.ndarray, "m g"], p: Float[np.ndarray, "m c"], one: Float[np.ndarray, "c g"]
) -> Float[np.ndarray, "c g"]:
    """Σ_i (diag p_i − p_i p_iᵀ) v x_i x_iᵀ of some rows."""
    along = x @ one.T
    # what all classes have in common changes nothing: less that of the likeliest, nothing large is left to cancel
    along -= np.take_along_axis(along, p.argmax(1)[:, None], 1)
    along -= np.einsum("mc,mc->m", p, along)[:, None]
    along *= p
    return np.asarray(along.T @ x)


def _dots(one: Float[np.ndarray, "k c g"], other: Float[np.ndarray, "k c g"]) -> Float[np.ndarray, "k 1 1"]:
    return np.asarray(np.einsum("kcg,kcg->k", one, other)[:, None, None])


def _quotient(one: Float[np.ndarray, "k 1 1"], other: Float[np.ndarray, "k 1 1"]) -> Float[np.ndarray, "k 1 1"]:
    """0 where a solution was reached and nothing is left to divide by."""
    return np.asarray(np.divide(one, other, out=np.zeros_like(one), where=other > 0))
