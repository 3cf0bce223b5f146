"""Confident learning: which labels a network contradicts that has not seen them, and how many must be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.training_set.dynamics import margins

_TINY = 1e-300
_ROUNDING = 1e-12
"""By which the mean of equal probabilities may be more than each of them."""


@dataclass(frozen=True, eq=False)
class Confident:
    """Confident learning (Northcutt et al. 2021, section 3) of `probabilities` (N, C) that were predicted for examples
    that the predictor was not fitted on, and `labels` (N,), the given classes.

    Raises PellucidError for what is no probability of each example.
    """

    probabilities: Float[np.ndarray, "n c"]
    labels: Int[np.ndarray, " n"]

    def __post_init__(self) -> None:
        p, labels = self.probabilities, self.labels
        if p.ndim != 2 or labels.shape != p.shape[:1] or not len(labels):
            raise PellucidError(
                f"probabilities {p.shape} for {labels.shape} labels: (N, classes) and (N,), N at least 1"
            )
        if not 0 <= labels.min() <= labels.max() < p.shape[1]:
            raise PellucidError(f"labels from {labels.min()} to {labels.max()} for {p.shape[1]} classes")
        if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(1) - 1).max() > 1e-6:
            raise PellucidError("probabilities of an example are 0 at least and have the sum 1; these do not")

    @cached_property
    def thresholds(self) -> Float[np.ndarray, " c"]:
        """(C,) t_j, the mean p_j over the examples of label j; infinite for a class without examples."""
        counts = np.bincount(self.labels, minlength=self.probabilities.shape[1])
        sums = np.bincount(self.labels, self.self_confidence, self.probabilities.shape[1])
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)

    @cached_property
    def counted_as(self) -> Int[np.ndarray, " n"]:
        """(N,) the most probable class among those j with p_j ≥ t_j; −1 where there is none."""
        above = self.probabilities >= self.thresholds - _ROUNDING
        best = np.where(above, self.probabilities, -1.0).argmax(1)
        return np.where(above.any(1), best, -1)

    @cached_property
    def counts(self) -> Int[np.ndarray, "c c"]:
        """(C, C) C_ij, the examples with label i that count as class j."""
        found = np.zeros((self.probabilities.shape[1],) * 2, np.int64)
        known = self.counted_as >= 0
        np.add.at(found, (self.labels[known], self.counted_as[known]), 1)
        return found

    @cached_property
    def joint(self) -> Float[np.ndarray, "c c"]:
        """(C, C) the estimated joint distribution of given and true class: rows of C_ij brought to the number of
        examples with that label, then all to the sum 1. A row that counts nobody stands on its diagonal."""
        given = np.bincount(self.labels, minlength=len(self.counts))
        rows = self.counts.sum(1)
        shares = np.where(rows[:, None] > 0, self.counts / np.maximum(rows, 1)[:, None], np.eye(len(rows)))
        return np.asarray(shares * given[:, None] / given.sum())

    @property
    def noise(self) -> float:
        """The estimated share of wrong labels, 0..1: what lies off the diagonal of the joint distribution."""
        return float(1 - np.trace(self.joint))

    @cached_property
    def flagged(self) -> Bool[np.ndarray, " n"]:
        """(N,) whether an example counts as another class than its label (`counted_as`)."""
        return np.asarray((self.counted_as >= 0) & (self.counted_as != self.labels))

    @cached_property
    def self_confidence(self) -> Floats:
        """(N,) the probability of the given class."""
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.labels])

    @cached_property
    def margin(self) -> Floats:
        """(N,) that less the largest probability of another class, from −1 to 1."""
        return margins(self.probabilities, self.labels)

    @cached_property
    def entropy_weighted(self) -> Floats:
        """(N,) the probability of the given class over the entropy of all, which is divided by log C (Kuan & Mueller
        2022, section 2): low for what is surely another class."""
        p = np.maximum(self.probabilities, _TINY)
        entropy = -(p * np.log(p)).sum(1) / np.log(p.shape[1])
        return np.asarray(self.self_confidence / np.maximum(entropy, 1e-12))
