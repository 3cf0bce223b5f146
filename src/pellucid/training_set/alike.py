"""How alike classes are to a network: by its probabilities at a temperature, and by what it takes for what."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import Examples

_PIECE = 4096


def alike(examples: Examples, temperature: float = 4.0) -> Float[np.ndarray, "c c"]:
    """(C, C) symmetric: (S_ij + S_ji) / 2 with S_ij the mean p_j at a temperature over the images of class i that are
    answered right (Hinton et al. 2015, section 2): what a network knows of classes besides the answer, no error needed.

    Where one of two classes has no such image it is the other's mean alone, and NaN where neither has.
    """
    right = np.flatnonzero(examples.answers == examples.labels)
    return said_of_classes(right, examples.labels, lambda rows: softmax(examples.logits[rows] / temperature))


def said_of_classes(
    rows: Int[np.ndarray, " m"], labels: Int[np.ndarray, " n"], said: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> Float[np.ndarray, "c c"]:
    """(C, C) `both_ways` of the mean over those of these rows with each label of what is `said` of them, (M, C), which
    is asked for some thousand rows at once."""
    sums = np.zeros((0, 0))
    for start in range(0, max(len(rows), 1), _PIECE):
        some = rows[start : start + _PIECE]
        each = said(some)
        sums = sums if len(sums) else np.zeros((each.shape[1], each.shape[1]))
        np.add.at(sums, labels[some], each)
    counts = np.bincount(labels[rows], minlength=len(sums))
    with np.errstate(invalid="ignore"):
        return both_ways(sums / counts[:, None])


def confusions(labels: Int[np.ndarray, " n"], answers: Int[np.ndarray, " n"], classes: int) -> Int[np.ndarray, "c c"]:
    """(C, C): how many images of class i are answered with class j. Images without a label or an answer (−1) do not
    count."""
    counts = np.zeros((classes, classes), np.int64)
    known = (labels >= 0) & (answers >= 0)
    np.add.at(counts, (labels[known], answers[known]), 1)
    return counts


def both_ways(means: Float[np.ndarray, "c c"]) -> Float[np.ndarray, "c c"]:
    """(M_ij + M_ji) / 2; that of them which is there where the other is NaN."""
    filled = np.where(np.isnan(means), means.T, means)
    return np.asarray((filled + filled.T) / 2)


def taken_for(labels: Int[np.ndarray, " n"], answers: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "c c"]:
    """(C, C) symmetric: of the images of two classes the share that is answered with the other one of them; NaN where
    neither class has an image. Images without a label (−1) do not count."""
    counts = confusions(labels, answers, classes)
    sizes = np.bincount(labels[labels >= 0], minlength=classes)
    both = (sizes[:, None] + sizes).astype(np.float64)
    both[both == 0] = np.nan
    shares = (counts + counts.T) / both
    np.fill_diagonal(shares, np.diag(counts) / np.where(sizes > 0, sizes, np.nan))
    return np.asarray(shares)
