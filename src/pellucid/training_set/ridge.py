"""Ridge regression on classes, predicted for each example without it, in closed form: where fits would take hours."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

_PIECE = 4096


def left_out(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], classes: int, penalty: float = 0.01
) -> Float[np.ndarray, "n c"]:
    """(N, C) what a ridge regression of the classes, as 0 and 1, says of each example when it is fitted to all others.

    Features less their mean, divided by their mean length; the penalty counts as that of as many examples. With fitted
    values f and leverages h it is y − (y − f) / (1 − h), h_i = 1/N + x_iᵀ (XᵀX + penalty N)⁻¹ x_i: the intercept is not
    penalized (Hastie, Tibshirani & Friedman 2009, section 7.10). In float64, a part of the rows at a time.
    """
    count, many = features.shape
    center = sum(features[i : i + _PIECE].sum(0, dtype=np.float64) for i in range(0, count, _PIECE)) / count
    square, cross, length = np.zeros((many, many)), np.zeros((many, classes)), 0.0
    shares = np.bincount(labels, minlength=classes) / count
    for i in range(0, count, _PIECE):
        rows = features[i : i + _PIECE].astype(np.float64) - center
        square += rows.T @ rows
        length += float((rows**2).sum())
        wanted = -np.tile(shares, (len(rows), 1))
        wanted[np.arange(len(rows)), labels[i : i + _PIECE]] += 1
        cross += rows.T @ wanted
    square[np.diag_indices(many)] += penalty * max(length, 1e-300)
    from scipy.linalg import cho_factor, cho_solve, solve_triangular  # slow to import

    factor = cho_factor(square, lower=True)
    weight = cho_solve(factor, cross)
    found = np.empty((count, classes))
    for i in range(0, count, _PIECE):
        rows = features[i : i + _PIECE].astype(np.float64) - center
        own = labels[i : i + _PIECE]
        leverage = 1 / count + (solve_triangular(factor[0], rows.T, lower=True) ** 2).sum(0)
        wanted = np.zeros((len(rows), classes))
        wanted[np.arange(len(rows)), own] = 1
        off = wanted - (rows @ weight + shares)
        found[i : i + _PIECE] = wanted - off / np.maximum(1 - leverage, 1e-9)[:, None]
    return found
