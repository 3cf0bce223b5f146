"""Pixels that are taken away, filled from those around them: noisy linear imputation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from pellucid.progress import stop_point
from pellucid.rng import generator

_AROUND = tuple((y, x, 1 / 6 if 0 in (y, x) else 1 / 12) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))
NOISE = 0.01
"""Standard deviation of what is added, in pixel values from 0 to 1."""


def imputed(pixels: Tensor, gone: NDArray[np.bool_], seed: int, name: str, noise: float | int = NOISE) -> Tensor:
    """Pixels (C, H, W), where those that are `gone` (H, W) are the weighted mean of their neighbors, all at once.

    Weights are 1/6 for the four that share a side and 1/12 for the four that share a corner; at the border those that
    there are count. A linear system has every missing pixel as an unknown (Rong et al. 2022, section 4). Gaussian noise
    is added to them. Where all are gone they become the mean color.
    """
    stop_point()
    if not gone.any():
        return pixels.clone()
    filled = pixels.double().cpu().numpy().copy()
    if gone.all():
        filled[:] = filled.mean((1, 2), keepdims=True)
    else:
        order = _dissected(*gone.shape)
        rows, columns = np.unravel_index(order[gone.ravel()[order]], gone.shape)
        matrix, right = _system(filled, gone, rows, columns)
        filled[:, rows, columns] = splu(matrix, permc_spec="NATURAL", options={"SymmetricMode": True}).solve(right).T
    if noise:
        filled[:, gone] += noise * generator(seed, name, "imputation").standard_normal(filled.shape)[:, gone]
    return torch.from_numpy(filled.clip(0, 1)).to(pixels)


@lru_cache(4)
def _dissected(height: int, width: int) -> NDArray[np.int64]:
    """All pixels, flat, in an order that keeps the factors of `_system` small, by nested dissection (George 1973): the
    two halves of the image before the line between them, and so within each. It halves the time of an order that is
    found from the matrix alone.
    """

    def halved(places: NDArray[np.int64]) -> NDArray[np.int64]:
        if places.size <= 32 or min(places.shape) < 3:
            return places.ravel()
        long = places if places.shape[0] >= places.shape[1] else places.T
        middle = len(long) // 2
        return np.concatenate([halved(long[:middle]), halved(long[middle + 1 :]), long[middle]])

    return halved(np.arange(height * width).reshape(height, width))


def _system(
    known: NDArray[np.float64], gone: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[csc_matrix, NDArray[np.float64]]:
    """For each missing pixel, at its row and column, Σ w (x − neighbor) = 0, of which the known neighbors stand on the
    right, a column for each channel.
    """
    height, width = gone.shape
    number = np.full(gone.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    diagonal, right = np.zeros(len(rows)), np.zeros((len(rows), len(known)))
    at: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for down, across, weight in _AROUND:
        y, x = rows + down, columns + across
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x, me = y[inside], x[inside], np.flatnonzero(inside)
        diagonal[me] += weight
        there = number[y, x]
        unknown = there >= 0
        at.append((me[unknown], there[unknown], np.full(int(unknown.sum()), -weight)))
        right[me[~unknown]] += weight * known[:, y[~unknown], x[~unknown]].T
    each = np.arange(len(rows))
    at.append((each, each, diagonal))
    first, second, values = (np.concatenate(parts) for parts in zip(*at, strict=True))
    return csc_matrix((values, (first, second)), (len(rows), len(rows))), right
