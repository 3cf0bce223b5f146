"""Activations as a few maps times a few directions: non-negative factorization, and principal components.

A layer's cells are the rows of a matrix A (cells, channels); A ≈ W G, with maps W (cells, k), nowhere negative, and
directions G (k, channels), of unit length. A rectified layer has directions that are nowhere negative either: groups of
channels that are active together. A layer with both signs is split into its positive and its negative part first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from pellucid.errors import BadNetwork, PellucidError
from pellucid.rng import generator

How = Literal["nmf", "pca"]
"""Parts that only add up, or the components that leave least over, which may take from one another."""
_STEPS, _TOLERANCE, _TINY = 400, 1e-5, 1e-6


def directions_of(
    values: Float[np.ndarray, "n c"], count: int, how: How = "nmf", *, seed: int | None = None
) -> Float[np.ndarray, "k c"]:
    """The directions of `count` groups in the cells `values`, each of unit length, or zero where there are fewer.

    Without `seed` the factorization starts from the singular vectors (NNDSVDa, Boutsidis & Gallopoulos 2008), with it
    from random numbers. Principal components are those of A itself, not centered, so that shares still add up.
    Raises PellucidError where there are fewer cells or channels than groups.
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise BadNetwork("an activation is not finite: the weights hold NaN or infinity, or overflow")
    if count > min(values.shape):
        cells, channels = values.shape
        raise PellucidError(f"{count} groups in {cells} cells of {channels} channels: at most {min(values.shape)}")
    if how == "pca":
        vectors = _singular(values, count)[2]
        return np.asarray(vectors * np.where((values @ vectors.T).sum(0) < 0, -1, 1)[:, None])
    signed = bool((values < 0).any())
    parts = np.concatenate([values.clip(0), (-values).clip(0)], 1) if signed else values
    found = _factored(parts, *(_singular_start(parts, count) if seed is None else _random(parts, count, seed)))[1]
    if signed:
        found = found[:, : values.shape[1]] - found[:, values.shape[1] :]
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0))


def _factored(
    values: Float[np.ndarray, "n c"], maps: Float[np.ndarray, "n k"], directions: Float[np.ndarray, "k c"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "k c"]]:
    """Least ‖A − W G‖² with W, G ≥ 0 by coordinate descent (Cichocki & Phan 2009), from the given start."""
    first = 0.0
    for step in range(_STEPS):
        maps, left = _descended(maps, directions @ directions.T, values @ directions.T)
        turned, right = _descended(directions.T, maps.T @ maps, values.T @ maps)
        directions = turned.T
        first = first or left + right
        if step and left + right <= _TOLERANCE * first:
            break
    return maps, directions


def _descended(
    rows: Float[np.ndarray, "n k"], gram: Float[np.ndarray, "k k"], products: Float[np.ndarray, "n k"]
) -> tuple[Float[np.ndarray, "n k"], float]:
    """(rows after an exact step along each coordinate, Σ |gradient that was not blocked by zero| before)."""
    rows, slope = rows.copy(), 0.0
    for k in range(rows.shape[1]):
        gradient = rows @ gram[:, k] - products[:, k]
        slope += float(np.abs(np.where(rows[:, k] == 0, gradient.clip(max=0), gradient)).sum())
        if gram[k, k] > 0:
            rows[:, k] = (rows[:, k] - gradient / gram[k, k]).clip(0)
    return rows, slope


def _singular(
    values: Float[np.ndarray, "n c"], count: int
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, " k"], Float[np.ndarray, "k c"]]:
    """The first singular vectors and values, by the smaller Gram matrix; the largest entry of a vector is positive."""
    tall = values.shape[0] >= values.shape[1]
    found, vectors = np.linalg.eigh(values.T @ values if tall else values @ values.T)
    sizes, vectors = np.sqrt(found[::-1][:count].clip(0)), vectors[:, ::-1][:, :count]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), np.arange(count)] < 0, -1, 1)
    products = values @ vectors if tall else values.T @ vectors
    other = np.divide(products, sizes, out=np.zeros_like(products), where=sizes > 1e-12 * sizes[0])
    return (other, sizes, vectors.T) if tall else (vectors, sizes, other.T)


def _singular_start(
    values: Float[np.ndarray, "n c"], count: int
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "k c"]]:
    """NNDSVDa: of each pair of singular vectors the larger of its parts of one sign, zeros replaced by the mean."""
    left, sizes, right = _singular(values, count)
    maps, directions = np.zeros(left.shape), np.zeros(right.shape)
    for k in range(count):
        pairs = [(np.maximum(s * left[:, k], 0), np.maximum(s * right[k], 0)) for s in (1, -1)]
        u, v = max(pairs, key=lambda pair: float(np.linalg.norm(pair[0]) * np.linalg.norm(pair[1])))
        long, wide = np.linalg.norm(u), np.linalg.norm(v)
        if long and wide:
            size = np.sqrt(sizes[k] * long * wide)
            maps[:, k], directions[k] = size * u / long, size * v / wide
    mean = float(values.mean())
    return np.where(maps < _TINY, mean, maps), np.where(directions < _TINY, mean, directions)


def _random(
    values: Float[np.ndarray, "n c"], count: int, seed: int
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "k c"]]:
    chance, size = generator(seed, "factors"), np.sqrt(float(values.mean()) / count)
    return (
        size * np.abs(chance.standard_normal((values.shape[0], count))),
        size * np.abs(chance.standard_normal((count, values.shape[1]))),
    )


def alike(
    one: tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "k c"]],
    other: tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "k c"]],
) -> Float[np.ndarray, " k"]:
    """Of each group of one factorization (maps, directions) the cosine of what it adds to A with its like in another.

    Groups are paired one to one so that the sum is largest; 1 is the same group, 0 one that has nothing in common.
    """
    cosines = np.ones((one[1].shape[0], other[1].shape[0]))
    for a, b in zip((one[0].T, one[1]), (other[0].T, other[1]), strict=True):
        lengths = np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
        cosines *= np.divide(a @ b.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    rows, columns = linear_sum_assignment(-cosines)
    return np.asarray(cosines[rows, columns])
