"""How much of each direction a cell holds, and what that depends on: maps of groups as functions of the activations."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls


def encoded(
    values: Float[np.ndarray, "n c"], directions: Float[np.ndarray, "k c"], *, signed: bool = False
) -> Float[np.ndarray, "n k"]:
    """The weights of the directions that leave least of each cell over: ≥ 0, or of any sign where `signed`."""
    values, used = np.asarray(values, np.float64), np.flatnonzero(np.linalg.norm(directions, axis=1) > 0)
    maps = np.zeros((len(values), len(directions)))
    basis, small = np.linalg.qr(directions[used].T)
    inside = values @ basis  # the problem in as many numbers as there are directions
    if signed:
        maps[:, used] = inside @ np.linalg.pinv(small).T
    else:
        for row, one in enumerate(inside):
            maps[row, used] = nnls(small, one)[0]
    return maps


def projections(
    maps: Float[np.ndarray, "n k"],
    directions: Float[np.ndarray, "k c"],
    gradients: Float[np.ndarray, "n c"],
) -> Float[np.ndarray, "k n c"]:
    """d (share of group k) / d A, of each cell, where the score's gradient is held: (k, n, c).

    The share of group k in cell x is w_k(x) G_k · g(x). The weights of a cell are those of a least squares problem in
    the directions that are active there, so that w(x) = (G_S G_Sᵀ)⁻¹ G_S A(x) exactly, with S the active ones, and in
    the neighborhood too: shares are linear in A, and the product of this with A(x) is the share.
    """
    found = np.zeros((len(directions), *gradients.shape))
    active = maps != 0
    for pattern in np.unique(active, axis=0):
        chosen, cells = np.flatnonzero(pattern), np.flatnonzero((active == pattern).all(1))
        if len(chosen):
            inverse = np.linalg.pinv(directions[chosen]).T  # (S, c): w = inverse · A
            heights = gradients[cells] @ directions[chosen].T  # (cells, S): G_k · g(x)
            found[np.ix_(chosen, cells)] = np.einsum("xs,sc->sxc", heights, inverse)
    return found
