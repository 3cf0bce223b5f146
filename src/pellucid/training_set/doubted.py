"""Labels that are doubted, of few images by fits of the last layer, of many by what is had in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.notes import Note, say
from pellucid.training_set.dynamics import margins
from pellucid.training_set.examples import Examples
from pellucid.training_set.neighborhood import disagreement, nearest
from pellucid.training_set.ridge import left_out
from pellucid.training_set.suspected import evidence_of
from pellucid.training_set.suspicion import FOLDS, NEIGHBORS, combined, score, tail
from pellucid.training_set.tried import TOGETHER, parts

FITS = 6 * 10**8
"""Images times features times classes up to which last layers are fitted: minutes of one core."""
SURE, UNSURE = 0.5, 0.1
"""Probability of the suggested class, at least, and of the given one, at most, for a label to count as wrong."""


@dataclass(frozen=True, eq=False)
class Doubted:
    """N labeled images: how much the label of each is doubted, and what else it may be."""

    said: dict[str, Floats]
    """Scores of suspicion by name, larger is more suspect; the last is all together."""
    suggested: Int[np.ndarray, " n"]
    p: Float[np.ndarray, "n 2"]
    """Probabilities of the given and of the suggested class, said without the image's own label."""
    disagree: Floats
    """Share of the 20 nearest whose label is another; NaN where most classes are too small for neighbors."""
    answers: Int[np.ndarray, " n"]
    """The class that is most probable, said without the image's own label."""
    log_p: Float[np.ndarray, "n c"] | None
    """Logarithms of all probabilities; None where there are none, but votes."""

    @property
    def voted(self) -> bool:
        """Whether `p` are shares of the 20 nearest."""
        return self.log_p is None

    @property
    def values(self) -> Floats:
        """(N,) all scores together."""
        return self.said[TOGETHER]

    @property
    def order(self) -> NDArray[np.int64]:
        """(N,) rows, the most suspect first."""
        return np.argsort(-self.values, kind="stable").astype(np.int64)

    @property
    def wrong(self) -> Bool[np.ndarray, " n"]:
        """(N,) what counts as wrong: another class is probable, the given one is not, and of the neighbors most have
        another label, where these can say."""
        neighbors = np.isnan(self.disagree) | (self.disagree > 0.5)
        return np.asarray((self.p[:, 1] >= SURE) & (self.p[:, 0] <= UNSURE) & neighbors)

    def tails(self, rows: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m s"]:
        """(M, S) the share of all images that are at least as suspect, by each score."""
        return np.stack([tail(one)[rows] for one in self.said.values()], 1)


def doubted(
    examples: Examples, near: Int[np.ndarray, "n k"], described: Float[np.ndarray, "n g"], seed: int
) -> Doubted:
    """Of labeled examples, whose nearest others by features are `near` and whose handcrafted features `described`.

    Up to 6·10⁸ (images times features times classes that they have) as mislabeled images are sorted elsewhere: AUM of a
    last layer, margin of 5-fold fits, neighbors in both spaces, margin of the network. Beyond, a ridge regression that
    leaves each image out stands in for the fits, and the shares of the 20 nearest for probabilities. Raises Refused
    where nothing can doubt a label.
    """
    sizes, present = np.bincount(examples.labels), np.unique(examples.labels)
    small = float((sizes[examples.labels] >= FOLDS).mean()) < 0.5
    if not small and len(present) < len(examples.classes):
        return _widened(doubted(_among(examples, present), near, described, seed), present, len(examples.classes))
    if not small and len(examples) * examples.features.shape[1] * len(present) > FITS:
        return _closed(examples, near, described)
    evidence = evidence_of(examples, {"hog": described}, seed)
    if evidence.features is not None:
        evidence.__dict__["_near"] = {None: near[:, :NEIGHBORS]}
    names = parts(evidence)
    said = {name: score(name).suspicion(evidence) for name in names}
    said[TOGETHER] = combined(list(said.values()))
    if evidence.features is None:
        p, disagree = examples.probabilities, np.full(len(examples), np.nan)
    else:
        p, disagree = evidence.confident.probabilities, disagreement(near[:, :NEIGHBORS], examples.labels)
    suggested, both = _best(p, p, examples.labels)
    return Doubted(said, suggested, both, disagree, p.argmax(1), np.log(np.maximum(p, 1e-300)))


def _among(examples: Examples, present: Int[np.ndarray, " k"]) -> Examples:
    """The same with the classes that their labels have: what no image of the set has is suggested for none."""
    place = np.full(len(examples.classes), -1)
    place[present] = np.arange(len(present))
    return replace(
        examples, logits=examples.logits[:, present], labels=place[examples.labels].astype(np.int64),
        classes=tuple(examples.classes[k] for k in present), weight=examples.weight[present],
        bias=examples.bias[present],
    )  # fmt: skip


def _widened(found: Doubted, present: Int[np.ndarray, " k"], classes: int) -> Doubted:
    """The same with the numbers that the classes had."""
    log_p = None
    if found.log_p is not None:
        log_p = np.full((len(found.p), classes), -np.inf)
        log_p[:, present] = found.log_p
    return replace(found, suggested=present[found.suggested], answers=present[found.answers], log_p=log_p)


def _closed(examples: Examples, near: Int[np.ndarray, "n k"], described: Float[np.ndarray, "n g"]) -> Doubted:
    labels, classes = examples.labels, len(examples.classes)
    say(Note("choice", f"{len(examples)} images of {classes} classes are too many for fits of the last layer: a ridge "
             "regression that leaves each image out stands in for them, and shares of the 20 nearest images for "
             "probabilities"))  # fmt: skip
    ridge = left_out(examples.features, labels, classes)
    mine = near[:, :NEIGHBORS]
    votes = np.zeros((len(labels), classes))
    np.add.at(votes, (np.arange(len(labels))[:, None], labels[mine]), 1 / mine.shape[1])
    disagree = disagreement(mine, labels)
    said = {
        "ridge, left out": -margins(ridge, labels),
        "kNN": disagree,
        "kNN, second space": disagreement(nearest(described, NEIGHBORS), labels),
    }
    if not examples.fitted and (examples.answers == labels).mean() >= 0.8 * (ridge.argmax(1) == labels).mean():
        said["own margin"] = -margins(examples.logits, labels)
    said[TOGETHER] = combined(list(said.values()))
    suggested, both = _best(ridge, votes, labels)
    return Doubted(said, suggested, both, disagree, ridge.argmax(1), None)


def _best(
    by: Float[np.ndarray, "n c"], p: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n 2"]]:
    """((N,) the best class besides the given one, (N, 2) the probabilities of the given one and of it)."""
    at, other = np.arange(len(labels)), by.copy()
    other[at, labels] = -np.inf
    best = other.argmax(1)
    return best, np.stack([p[at, labels], p[at, best]], 1)
