"""How probable it is that a label is wrong: of labeled examples, and of images that have one besides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pellucid.geometry import Floats
from pellucid.notes import Note
from pellucid.training_set.alike import alike
from pellucid.training_set.confident import Confident
from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import Examples
from pellucid.training_set.folds import out_of_fold
from pellucid.training_set.head import Head
from pellucid.training_set.softmax import fitted
from pellucid.training_set.suspicion import FOLDS, PENALTY

_LEAST = 0.01
"""Share of wrong labels that is supposed at the least."""
_SHARP = tuple(2.0**k for k in np.arange(-2, 3.01, 0.25))
_ROUNDS = 30
_FEW = (
    f"most classes have fewer than {FOLDS} images: only what the network says doubts a label, which it may have learned"
)


@dataclass(frozen=True, eq=False)
class Chances:
    """What doubts the labels of N examples of C classes.

    `logits` (N, C) come from fits that have not seen the label of their example; `head` is the fit of all, None where
    it is the network's own. Probabilities are the softmax of `sharp` times logits, `noise` is the share of wrong
    labels, and `mixed` (C, C) how probable each label is for a mislabeled image of each class.
    """

    labels: Int[np.ndarray, " n"]
    logits: Float[np.ndarray, "n c"]
    head: Head | None
    mixed: Float[np.ndarray, "c c"]
    sharp: float = 1.0
    noise: float = _LEAST
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, examples: Examples, seed: int = 0) -> Chances:
        """Of labeled examples, by fits of the last layer out of fold; where most classes have fewer images than there
        are folds, by what the network itself says, which may have learned these labels.

        Sharpness (one over the temperature of Guo et al. 2017) and noise are those that make the labels most probable.
        """
        labels, classes = examples.labels, len(examples.classes)
        sizes = np.bincount(labels)
        if float((sizes[labels] >= FOLDS).mean()) >= 0.5:
            p = out_of_fold(examples.features, labels, classes, FOLDS, PENALTY, seed)
            logits = np.log(np.maximum(p, 1e-300))
            head = examples.head if examples.fitted else Head("", *fitted(examples.features, labels, classes, PENALTY))
            notes: tuple[Note, ...] = ()
        else:
            logits, head = examples.logits, None
            notes = (Note("choice", _FEW),)
        counts = Confident(softmax(logits), labels).counts
        return cls(labels, logits, head, mixed(counts, alike(examples)), notes=notes).tuned()

    def tuned(self) -> Chances:
        """With the sharpness and the noise under which the labels are most probable."""
        return max((replace(self, sharp=one)._with_noise() for one in _SHARP), key=lambda found: found.likelihood)

    def _with_noise(self) -> Chances:
        """With the noise that is the mean chance of a wrong label (expectation and maximization)."""
        right, wrong = self._ways(self.probabilities, self.labels)
        noise = 0.05
        for _ in range(_ROUNDS):
            noise = float(np.mean(noise * wrong / np.maximum(noise * wrong + (1 - noise) * right, 1e-300)))
        return replace(self, noise=min(max(noise, _LEAST), 0.5))

    @property
    def likelihood(self) -> float:
        """The mean log probability of the labels."""
        right, wrong = self._ways(self.probabilities, self.labels)
        return float(np.log(np.maximum((1 - self.noise) * right + self.noise * wrong, 1e-300)).mean())

    @property
    def probabilities(self) -> Float[np.ndarray, "n c"]:
        """(N, C) of the examples."""
        return self.calibrated(self.logits)

    def calibrated(self, logits: Float[np.ndarray, "m c"]) -> Float[np.ndarray, "m c"]:
        """(M, C) probabilities."""
        return softmax(self.sharp * logits)

    def wrong(self, p: Float[np.ndarray, "m c"], labels: Int[np.ndarray, " m"]) -> Floats:
        """(M,) how probable it is that a label is wrong, 0..1: of the two ways to get it, right (p of the label) and
        wrong (p of any other class times how often that is mislabeled so), weighted as the noise says (Bayes)."""
        right, wrong = self._ways(p, labels)
        whole = self.noise * wrong + (1 - self.noise) * right
        return np.asarray(self.noise * wrong / np.maximum(whole, 1e-300))

    def _ways(self, p: Float[np.ndarray, "m c"], labels: Int[np.ndarray, " m"]) -> tuple[Floats, Floats]:
        """((M,) how probable a label is if it is right, (M,) if it is wrong)."""
        return p[np.arange(len(labels)), labels], np.einsum("mc,mc->m", p, self.mixed[:, labels].T)

    @property
    def all(self) -> Floats:
        """(N,) those of the examples."""
        return self.wrong(self.probabilities, self.labels)


def mixed(counts: Int[np.ndarray, "c c"], similar: Float[np.ndarray, "c c"]) -> Float[np.ndarray, "c c"]:
    """(C, C) how probable each label is for a mislabeled image of class j (row): as often as images of label i count as
    class j (`counts` [i, j]), and one more image shared out as the classes are alike; 0 on the diagonal."""
    many = len(counts)
    prior = np.where(np.isfinite(similar), similar, 0.0)
    prior = prior + 1e-3 / many
    np.fill_diagonal(prior, 0)
    prior /= prior.sum(1, keepdims=True)
    found = counts.T.astype(np.float64)
    np.fill_diagonal(found, 0)
    found += prior
    return np.asarray(found / found.sum(1, keepdims=True))
