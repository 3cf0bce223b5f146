"""A linear read-out that repeats a network: softmax regression on its features."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.surrogates.mirrored import Judged, Mirrored
from pellucid.training_set.softmax import fitted

PENALTY = 0.01


def standardized(x: Float[np.ndarray, "n f"], inside: Int[np.ndarray, " h"]) -> Float[np.ndarray, "n f"]:
    """(N, F) with mean 0 and variance 1 over some rows, so that one penalty is fair to all layers; features that are
    the same for all of them are 0."""
    x = np.asarray(x, np.float64)
    mean, sd = x[inside].mean(0), x[inside].std(0)
    return np.asarray((x - mean) / np.where(sd > 1e-12 * max(float(sd.max(initial=0)), 1e-300), sd, np.inf))


def linear_row(mirrored: Mirrored, penalty: float = PENALTY) -> tuple[Judged, int]:
    """(a softmax regression of the network's answers on the features, judged; how many weights it has)."""
    x = standardized(mirrored.features, mirrored.inside)

    def proxy(rows: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        weight, bias = fitted(x[rows], mirrored.answers[rows], mirrored.classes, penalty)
        return np.asarray((x[mirrored.outside] @ weight.T + bias).argmax(1))

    return mirrored.both(proxy), mirrored.classes * (mirrored.features.shape[1] + 1)
