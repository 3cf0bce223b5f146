"""Images that lie far from all others: by the distance to their neighbors, and under a Gaussian for each class."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.index.search import mean_of
from pellucid.training_set.suspicion import combined

_FEWEST = 5
"""Images of a class that has a mean of its own."""
_PIECE = 4096


def distances(features: Float[np.ndarray, "n f"], near: Int[np.ndarray, "n k"]) -> Floats:
    """(N,) 1 − cosine, about the mean of all, of each row and the last of its nearest, in float64."""
    center, found = mean_of(features), np.empty(len(features))
    last = near[:, -1]
    for i in range(0, len(features), _PIECE):
        one, other = (
            features[rows].astype(np.float64) - center for rows in (slice(i, i + _PIECE), last[i : i + _PIECE])
        )
        lengths = np.sqrt((one**2).sum(1) * (other**2).sum(1))
        found[i : i + _PIECE] = 1 - (one * other).sum(1) / np.maximum(lengths, 1e-300)
    return found


def surprise(features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"]) -> Floats:
    """(N,) −log density, in nats, of each row under the Gaussian of its nearest class, all of one covariance.

    Classes of at least five images have a mean each (Lee et al. 2018, section 2.1); images of others, and those without
    a class (−1), are judged by the same; where most are such, one Gaussian is fitted to all. The covariance, about the
    means, is drawn towards a multiple of the identity as Ledoit & Wolf 2004 have it, so that fewer images than
    features are enough. Raises PellucidError for fewer than three rows.
    """
    count, many = features.shape
    if count < 3:
        raise PellucidError(f"outliers among {count} images: three at the least")
    sizes = np.bincount(labels[labels >= 0]) if (labels >= 0).any() else np.zeros(1, np.int64)
    large = np.flatnonzero(sizes >= _FEWEST)
    own = np.where(labels >= 0, labels, -1)
    inside = np.isin(own, large)
    if inside.mean() < 0.5:
        own, large, inside = np.zeros(count, np.int64), np.array([0]), np.ones(count, bool)
    place = np.full(int(own.max()) + 2, -1)
    place[large] = np.arange(len(large))
    means = np.zeros((len(large), many))
    for k, one in enumerate(large):
        rows = np.flatnonzero(own == one)
        means[k] = sum(
            features[rows[i : i + _PIECE]].sum(0, dtype=np.float64) for i in range(0, len(rows), _PIECE)
        ) / len(rows)
    square, fourth, used = np.zeros((many, many)), 0.0, np.flatnonzero(inside)
    for i in range(0, len(used), _PIECE):
        rows = used[i : i + _PIECE]
        apart = features[rows].astype(np.float64) - means[place[own[rows]]]
        square += apart.T @ apart
        fourth += float(((apart**2).sum(1) ** 2).sum())
    lower = np.linalg.cholesky(shrunken(square / len(used), fourth, len(used)))
    return _least(features, means, lower)


def shrunken(square: Float[np.ndarray, "f f"], fourth: float, count: int) -> Float[np.ndarray, "f f"]:
    """A covariance (F, F) of `count` rows with mean 0, drawn towards a multiple of the identity (Ledoit & Wolf 2004);
    `fourth` is the sum of the fourth powers of the lengths of the rows."""
    many = len(square)
    mean = float(np.trace(square)) / many
    norm = float((square**2).sum())
    apart = norm - many * mean**2
    error = max((fourth / count - norm) / count, 0.0)
    share = min(error / apart, 1.0) if apart > 0 else 1.0
    whole = (1 - share) * square
    whole[np.diag_indices(many)] += share * mean + max(mean, 1e-300) * 1e-8
    return np.asarray(whole)


def _least(features: Float[np.ndarray, "n f"], means: Float[np.ndarray, "k f"], lower: Floats) -> Floats:
    """(N,) −log density under the nearest of K Gaussians, whose covariance is lower · lowerᵀ."""
    from scipy.linalg import solve_triangular  # slow to import

    found, many = np.empty(len(features)), features.shape[1]
    white = solve_triangular(lower, means.T, lower=True).T
    squares = (white**2).sum(1)
    fixed = float(np.log(np.diag(lower)).sum()) + many / 2 * float(np.log(2 * np.pi))
    for i in range(0, len(features), _PIECE):
        rows = solve_triangular(lower, features[i : i + _PIECE].astype(np.float64).T, lower=True).T
        far = (rows**2).sum(1)[:, None] - 2 * rows @ white.T + squares
        found[i : i + _PIECE] = np.maximum(far.min(1), 0) / 2 + fixed
    return found


def outlying(parts: list[Floats]) -> Floats:
    """(N,) how far out an image is by several measures together, larger is farther: −Σ log of the share of images that
    are at least as far out by each."""
    return combined(parts)


def beyond(values: Floats) -> Floats:
    """(N,) how many robust standard deviations (1.4826 times the median distance from the median) values lie above the
    median; 0 where half of them are equal."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return np.asarray((values - middle) / spread if spread > 0 else np.zeros(len(values)))


def share_below(values: Floats) -> Floats:
    """(N,) the quantile of each: the share of all that are smaller."""
    ordered: NDArray[np.float64] = np.sort(values)
    return np.asarray(np.searchsorted(ordered, values, side="left") / len(values))
