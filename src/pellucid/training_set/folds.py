"""Probabilities for images that the predictor has not been fitted on: a last layer is fitted on all other folds."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.training_set.curvature import softmax
from pellucid.training_set.softmax import fitted


def fold_of(labels: Int[np.ndarray, " n"], folds: int, seed: int) -> Int[np.ndarray, " n"]:
    """(N,) the fold of each image, 0 to folds − 1: drawn at random, each with its share of every class.

    Raises PellucidError for fewer than 2 folds or more than there are images.
    """
    if not 2 <= folds <= len(labels):
        raise PellucidError(f"{folds} folds of {len(labels)} images: from 2 to as many as there are images")
    order = generator(seed, "folds").permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # class after class, in random order within
    found = np.empty(len(labels), np.int64)
    found[order] = np.arange(len(labels)) % folds
    return found


def out_of_fold(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], classes: int, folds: int = 5,
    penalty: float = 0.01, seed: int = 0,
) -> Float[np.ndarray, "n c"]:  # fmt: skip
    """(N, C) the probabilities that softmax regressions (`fitted`) give for images of folds that they have not seen."""
    fold = fold_of(labels, folds, seed)
    found = np.empty((len(labels), classes))
    for one in steps(range(folds), "folds"):
        inside = fold == one
        weight, bias = fitted(features[~inside], labels[~inside], classes, penalty)
        found[inside] = softmax(np.asarray(features[inside], np.float64) @ weight.T + bias)
    return found
