"""A linear read-out of features: ridge regression on the classes, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError

PENALTIES: tuple[float, ...] = tuple(float(one) for one in 10.0 ** np.arange(-5, 4))
"""Of the squared weights, tried from the largest on; 1 is the mean variance along the directions of the features."""


@dataclass(frozen=True, eq=False)
class Readout:
    """Scores of the classes: (x − mean) / scale · weight + bias."""

    mean: Float[np.ndarray, " f"]
    scale: Float[np.ndarray, " f"]
    weight: Float[np.ndarray, "f c"]
    bias: Float[np.ndarray, " c"]
    penalty: float
    """The one with the least error on images left out."""

    def scores(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n c"]:
        """(N, C)."""
        return np.asarray((features - self.mean) / self.scale @ self.weight + self.bias)

    def answers(self, features: Float[np.ndarray, "n f"]) -> Int[np.ndarray, " n"]:
        """(N,) the class of the largest score."""
        return np.asarray(self.scores(features).argmax(1))


def readout(
    features: Float[np.ndarray, "n f"],
    labels: Int[np.ndarray, " n"],
    classes: int,
    penalties: Sequence[float] = PENALTIES,
) -> Readout:
    """Ridge regression of one number for each class, 1 for the right one and 0 for all others (Hastie et al. 2009,
    section 4.2), with an intercept that is not penalized.

    Features are brought to mean 0 and variance 1 over these images. The penalty is that with the least squared error
    of images left out one by one, which the hat matrix gives without another fit (section 7.10); of equal ones the
    largest. Raises PellucidError for fewer than two images.
    """
    count, width = features.shape
    if count < 2:
        raise PellucidError(f"a read-out of {count} image: 2 at the least")
    x = np.asarray(features, np.float64)
    mean, deviation = x.mean(0), x.std(0)
    scale = np.where(deviation > 1e-12 * max(float(deviation.max(initial=0)), 1e-300), deviation, np.inf)
    z = (x - mean) / scale / np.sqrt(width)
    wanted = np.eye(classes)[labels]
    left, sizes, right = np.linalg.svd(z, full_matrices=False)
    along, power = left.T @ wanted, sizes**2
    unit = float(power.mean()) or 1.0
    error, best = np.inf, unit
    for one in sorted(penalties, reverse=True):
        shrunk = power / (power + one * unit)
        fitted = wanted.mean(0) + left @ (shrunk[:, None] * along)
        hat = (left**2) @ shrunk + 1 / count
        missed = float((((wanted - fitted) / np.maximum(1 - hat, 1e-12)[:, None]) ** 2).mean())
        if missed < error * (1 - 1e-9):
            error, best = missed, one * unit
    weight = right.T @ ((sizes / (power + best))[:, None] * along) / np.sqrt(width)
    return Readout(mean, scale, weight, wanted.mean(0), best / unit)
