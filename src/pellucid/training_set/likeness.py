"""Classes that a network takes for one another, also where it is right: confusions, soft labels, class means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.training_set.alike import confusions, said_of_classes
from pellucid.training_set.curvature import softmax

TEMPERATURE = 4.0
"""Of the soft labels: what logits are divided by (Hinton et al. 2015)."""
_PIECE = 4096


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike C classes are, (C, C) each, symmetric.

    `confusions` are the images of one that the network takes for the other, in both directions; `soft` the mean
    probability at temperature 4, among these classes, that images of one, for which the network is right, give to the
    other, mean of both directions, NaN where it is right for none; `means` the cosine of the mean features of both,
    about the mean of all.
    """

    classes: Int[np.ndarray, " c"]
    """Numbers of the classes that have images, in their order."""
    sizes: Int[np.ndarray, " c"]
    confusions: Int[np.ndarray, "c c"]
    soft: Float[np.ndarray, "c c"]
    means: Float[np.ndarray, "c c"]

    @cached_property
    def pairs(self) -> Int[np.ndarray, "p 2"]:
        """Every pair, the most alike first: by soft labels, which need no mistakes, then by confusions."""
        first, second = np.triu_indices(len(self.classes), 1)
        soft = np.nan_to_num(self.soft[first, second], nan=-1.0)
        order = np.lexsort((second, first, -self.confusions[first, second], -soft))
        return np.stack([first[order], second[order]], 1)

    def merges(self, which: Int[np.ndarray, " m"]) -> tuple[Float[np.ndarray, "l 4"], NDArray[np.int64]]:
        """((M − 1, 4) merges of these classes as scipy's `linkage` has them, their order in the tree): mean linkage of
        the distance 1 − soft / largest soft, leaves so ordered that neighbors are alike (Bar-Joseph et al. 2001)."""
        from scipy.cluster.hierarchy import leaves_list, linkage  # slow to import
        from scipy.spatial.distance import squareform

        if len(which) < 2:
            return np.zeros((0, 4)), np.arange(len(which))
        soft = np.nan_to_num(self.soft[np.ix_(which, which)], nan=0.0)
        np.fill_diagonal(soft, 0)
        far = 1 - soft / max(float(soft.max()), 1e-300)
        np.fill_diagonal(far, 0)
        tree = linkage(squareform(far, checks=False), "average", optimal_ordering=True)
        return tree, np.asarray(leaves_list(tree), np.int64)


def likeness(
    logits: Float[np.ndarray, "n c"], features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"]
) -> Likeness:
    """Of N images with their classes, what a network says of them, and what its last layer reads of them."""
    classes, own = np.unique(labels, return_inverse=True)
    many = len(classes)
    place = np.full(logits.shape[1], -1)
    place[classes] = np.arange(many)
    answers = place[np.asarray(logits).argmax(1)]

    def said(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return softmax(logits[rows][:, classes].astype(np.float64) / TEMPERATURE)

    soft = said_of_classes(np.flatnonzero(answers == own), own, said)
    counts = confusions(own, answers, many)
    both = counts + counts.T
    np.fill_diagonal(both, 0)
    return Likeness(classes, np.bincount(own, minlength=many), both, soft, _cosines(features, own, many))


def _cosines(features: Float[np.ndarray, "n f"], own: Int[np.ndarray, " n"], many: int) -> Floats:
    """(C, C) of the means of classes, less the mean of these."""
    sums = np.zeros((many, features.shape[1]))
    for i in range(0, len(own), _PIECE):
        np.add.at(sums, own[i : i + _PIECE], features[i : i + _PIECE].astype(np.float64))
    means = sums / np.bincount(own, minlength=many)[:, None]
    means -= means.mean(0)
    lengths = np.sqrt((means**2).sum(1))
    return np.asarray(means @ means.T / np.maximum(np.outer(lengths, lengths), 1e-300))
