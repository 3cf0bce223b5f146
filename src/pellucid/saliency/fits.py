"""Linear models of a score in terms of which players are shown: LIME's, and those of Shapley values."""

from __future__ import annotations

from math import comb

import numpy as np

from pellucid.errors import PellucidError

RIDGE = 1.0  # the authors' code of LIME


def near_one(shown: np.ndarray, width: float) -> np.ndarray:
    """(m,) LIME's weights √exp(−d² / width²) of coalitions (m, n), d the cosine distance to all shown."""
    # cosine between z and (1, …, 1): |z| / (√|z| √n); of the empty one it is 0
    distance = 1 - np.sqrt(shown.mean(1))
    found: np.ndarray = np.sqrt(np.exp(-((distance / width) ** 2)))
    return found


def surrogate(
    shown: np.ndarray, scores: np.ndarray, weights: np.ndarray, ridge: float = RIDGE
) -> tuple[np.ndarray, np.ndarray, float]:
    """(coefficients, their standard errors, R²) of a weighted ridge regression with a free intercept.

    The errors are those of an estimator whose images are drawn at random and whose linear model is not true
    (White 1980): A⁻¹ (Σ w² e² z zᵀ) A⁻¹, with the usual factor m / (m − n − 1).
    """
    center, mean = np.average(shown, axis=0, weights=weights), np.average(scores, weights=weights)
    z, y = shown - center, scores - mean
    inverse = np.linalg.inv((z.T * weights) @ z + ridge * np.eye(z.shape[1]))
    values = inverse @ (z.T @ (weights * y))
    left = y - z @ values
    influence = inverse @ (z.T * (weights * left))
    m, n = z.shape
    errors = np.sqrt((influence**2).sum(1) * m / (m - n - 1))
    spread = float(weights @ y**2)
    return values, errors, 1 - float(weights @ left**2) / spread if spread > 0 else 1.0


def kernel(n: int) -> np.ndarray:
    """The Shapley kernel of coalitions of 1, …, n − 1 of n players."""
    return np.array([(n - 1) / (comb(n, size) * size * (n - size)) for size in range(1, n)])


def every_coalition(n: int) -> np.ndarray:
    """(2ⁿ − 2, n): every row is a coalition, none of them empty or whole."""
    found: np.ndarray = (np.arange(1, 2**n - 1)[:, None] >> np.arange(n)) & 1 > 0
    return found


def paired(n: int, pairs: int, chance: np.random.Generator) -> np.ndarray:
    """(2 · pairs, n): coalitions with a probability proportional to the Shapley kernel, each before its complement."""
    sizes = np.arange(1, n)
    often = 1 / (sizes * (n - sizes))  # the kernel times the number of coalitions of that size
    wanted = chance.choice(sizes, size=pairs, p=often / often.sum())
    order = chance.random((pairs, n)).argsort(1).argsort(1)
    shown = order < wanted[:, None]
    both: np.ndarray = np.stack([shown, ~shown], 1).reshape(2 * pairs, n)
    return both


def constrained(
    shown: np.ndarray, gains: np.ndarray, weights: np.ndarray, change: float, image: str, what: str = "superpixels"
) -> tuple[np.ndarray, np.ndarray]:
    """(values, standard errors) that fit the gains of coalitions best and sum to `change` exactly.

    Standard errors as of least squares whose linear model is not true, with every two rows, a coalition and its
    complement, as one independent draw.
    """
    n = shown.shape[1]
    if n == 1:
        return np.array([change]), np.zeros(1)
    # values = change / n + basis · free, with a basis of all vectors that sum to zero: the constraint is then built in
    basis = np.linalg.qr(np.eye(n)[:, :-1] - 1 / n)[0]
    root = np.sqrt(weights)
    x, y = root[:, None] * (shown @ basis), root * (gains - shown.mean(1) * change)
    # With no more different pairs than unknowns the fit is perfect, whatever the scores: no error could be told.
    pairs = len(x) // 2
    if np.linalg.matrix_rank(x) < n - 1 or (n > 2 and len(np.unique(shown, axis=0)) // 2 <= n - 1):
        raise PellucidError(
            f"samples={len(shown)} do not tell the {n} {what} of {image!r} apart: ask for {4 * n} or more"
        )
    free = np.linalg.lstsq(x, y, rcond=None)[0]
    left = (x * (y - x @ free)[:, None]).reshape(len(x) // 2, 2, n - 1).sum(1)
    influence = basis @ np.linalg.inv(x.T @ x) @ left.T
    errors = np.sqrt((influence**2).sum(1) * pairs / max(pairs - n + 1, 1))
    return change / n + basis @ free, errors
