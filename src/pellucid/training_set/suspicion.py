"""Scores of suspicion: one number for each example that says how much its label is doubted, each with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError, unknown
from pellucid.geometry import Floats
from pellucid.training_set import dynamics
from pellucid.training_set.confident import Confident
from pellucid.training_set.dynamics import Course
from pellucid.training_set.folds import fold_of, out_of_fold
from pellucid.training_set.neighborhood import disagreement, nearest, shapley_held_out, unit_rows
from pellucid.training_set.recorded import head_course

Need = Literal["course", "features", "space", "answers", "others"]
NEIGHBORS, FOLDS, PENALTY = 20, 5, 0.01
_NEAR = 10
"""Neighbors that vote in kNN-Shapley."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of N examples with the given classes `labels` (N,), among `classes` of them.

    `features` (N, F) are what the last layer reads; `spaces` other features, by name, of which the first is the
    second opinion; `answers` (N, C) the logits of a network that has not been trained on these labels; `course` what
    was said of them while a network, or a last layer, was learning these labels; `others` the same examples as other
    networks read and answer them, by the names of these.
    """

    labels: Int[np.ndarray, " n"]
    classes: int
    features: Float[np.ndarray, "n f"] | None = None
    spaces: Mapping[str, Float[np.ndarray, "n _"]] = field(default_factory=dict)
    answers: Float[np.ndarray, "n c"] | None = None
    course: Course | None = None
    seed: int = 0
    others: Mapping[str, Evidence] = field(default_factory=dict)

    def has(self, need: Need) -> bool:
        """Whether it holds what a score needs."""
        if need in ("space", "others"):
            return bool(self.spaces if need == "space" else self.others)
        return getattr(self, need) is not None

    def part(self, rows: Int[np.ndarray, " m"]) -> Evidence:
        """Of some of the examples, without the course, which belongs to all."""
        spaces = {name: values[rows] for name, values in self.spaces.items()}
        features, answers = (None if one is None else one[rows] for one in (self.features, self.answers))
        others = {name: one.part(rows) for name, one in self.others.items()}
        return Evidence(self.labels[rows], self.classes, features, spaces, answers, None, self.seed, others)

    def learned_again(self, labels: Int[np.ndarray, " n"]) -> Evidence:
        """The same examples with other labels, which a last layer on the features has learned; what the network says
        of them stays, for it has seen neither."""
        course = None if self.features is None else head_course(self.features, labels, self.classes, self.seed)
        others = {name: replace(one, labels=labels) for name, one in self.others.items()}
        return replace(self, labels=labels, course=course, others=others)

    @cached_property
    def confident(self) -> Confident:
        """Of the out-of-fold probabilities."""
        return Confident(
            out_of_fold(_given(self.features), self.labels, self.classes, FOLDS, PENALTY, self.seed), self.labels
        )

    def neighbors(self, space: str | None = None) -> Int[np.ndarray, "n k"]:
        """(N, 20) of each example, among the features or in another space."""
        rows = _given(self.features if space is None else self.spaces.get(space))
        held: dict[str | None, np.ndarray] = self.__dict__.setdefault("_near", {})
        if space not in held:
            held[space] = nearest(rows, NEIGHBORS)
        return held[space]

    @property
    def second(self) -> str:
        """The name of the space that gives the second opinion."""
        return next(iter(self.spaces))


@dataclass(frozen=True)
class Score:
    """One score. `values` are as its paper has them; `suspicion` is turned so that larger is more suspect."""

    name: str
    what: str
    """What it measures, in a few words."""
    needs: Need
    cost: str
    source: str
    larger: bool
    """Whether larger values are more suspect, and not smaller ones."""
    of: Callable[[Evidence], Floats]

    def values(self, evidence: Evidence) -> Floats:
        """(N,). Raises PellucidError where the evidence holds not what it needs."""
        if not evidence.has(self.needs):
            raise PellucidError(f"score {self.name!r} needs {_NEEDS[self.needs]}")
        return np.asarray(self.of(evidence), np.float64)

    def suspicion(self, evidence: Evidence) -> Floats:
        """(N,) larger is more suspect."""
        return self.values(evidence) if self.larger else -self.values(evidence)


_NEEDS: Mapping[Need, str] = {
    "course": "what a network said while it learned the labels, epoch by epoch",
    "features": "what the last layer reads of each image",
    "space": "a second space, such as an earlier layer or HOG",
    "answers": "a network that has not been trained on these labels",
    "others": "another network",
}


def _given(features: Float[np.ndarray, "n f"] | None) -> Float[np.ndarray, "n f"]:
    if features is None:
        raise PellucidError("no features: this score needs what the last layer reads of each image")
    return features


def _course(of: Callable[[Course], Floats]) -> Callable[[Evidence], Floats]:
    def measured(evidence: Evidence) -> Floats:
        if evidence.course is None:
            raise PellucidError("no course: this score needs what was said while the labels were learned")
        return of(evidence.course)

    return measured


def _answered(of: Callable[[Course], Floats]) -> Callable[[Evidence], Floats]:
    def measured(evidence: Evidence) -> Floats:
        if evidence.answers is None:
            raise PellucidError("no answers: this score needs those of a network that has not seen the labels")
        return of(Course(evidence.answers[None], evidence.labels))

    return measured


_EPOCHS = "a training whose epochs are recorded"
_FITS = f"{FOLDS} fits of the last layer"
_PAIRS = "all pairs of images compared"
SCORES: tuple[Score, ...] = (
    Score("AUM", "mean margin of logits while it was learned", "course", _EPOCHS,
          "Pleiss et al. 2020", False, _course(dynamics.aum)),
    Score("mean loss", "mean loss while it was learned", "course", _EPOCHS,
          "Arpit et al. 2017", True, _course(dynamics.mean_loss)),
    Score("final margin", "margin of logits after training", "course", "a training",
          "Pleiss et al. 2020", False, _course(dynamics.final_margin)),
    Score("final loss", "loss after training", "course", "a training",
          "Arpit et al. 2017", True, _course(dynamics.final_loss)),
    Score("mean confidence", "mean probability of the label while it was learned", "course", _EPOCHS,
          "Swayamdipta et al. 2020", False, _course(dynamics.confidence)),
    Score("EL2N", "length of the error early in training", "course", "a quarter of a training",
          "Paul et al. 2021", True, _course(dynamics.el2n)),
    Score("GraNd", "length of the last layer's gradient early in training", "course", "a quarter of a training",
          "Paul et al. 2021", True, _course(dynamics.grand)),
    Score("TracIn of itself", "how much it speaks for itself, last layer", "course", _EPOCHS,
          "Pruthi et al. 2020", True, _course(dynamics.tracin_self)),
    Score("forgetting", "how often it was right and then wrong", "course", _EPOCHS,
          "Toneva et al. 2019", True, _course(dynamics.forgetting)),
    Score("mistakenness", "another answer, and how sure it is", "course", "a training",
          "FiftyOne, mistakenness", True, _course(dynamics.mistakenness)),
    Score("CV self-confidence", "out-of-fold probability of the label", "features", _FITS,
          "Northcutt et al. 2021", False, lambda found: found.confident.self_confidence),
    Score("CV margin", "out-of-fold probability of the label less the best other", "features", _FITS,
          "Northcutt et al. 2021", False, lambda found: found.confident.margin),
    Score("CV entropy-weighted", "out-of-fold probability of the label over the entropy", "features", _FITS,
          "Kuan & Mueller 2022", False, lambda found: found.confident.entropy_weighted),
    Score("kNN", f"share of the {NEIGHBORS} nearest with another label, last layer", "features", _PAIRS,
          "Zhu et al. 2022", True, lambda found: disagreement(found.neighbors(), found.labels)),
    Score("kNN-Shapley", f"what it adds to votes of the {_NEAR} nearest, last layer", "features", _PAIRS,
          "Jia et al. 2019, theorem 1", False, lambda found: shapley_held_out(
              unit_rows(_given(found.features)), found.labels, _NEAR, fold_of(found.labels, FOLDS, found.seed))),
    Score("kNN, second space", f"share of the {NEIGHBORS} nearest with another label, second space", "space", _PAIRS,
          "Zhu et al. 2022", True, lambda found: disagreement(found.neighbors(found.second), found.labels)),
    Score("own self-confidence", "the network's probability of the label", "answers", "a pass",
          "Northcutt et al. 2021", True, _answered(dynamics.final_loss)),
    Score("own margin", "the network's margin of logits", "answers", "a pass",
          "Pleiss et al. 2020", False, _answered(dynamics.final_margin)),
)  # fmt: skip


def score(name: str) -> Score:
    """That of this name. Raises UnknownName with the nearest."""
    for one in SCORES:
        if one.name == name:
            return one
    raise unknown("score", name, [one.name for one in SCORES])


def known(evidence: Evidence) -> tuple[Score, ...]:
    """The scores for which there is all that they need; and of each other network those that say most."""
    own = [one for one in SCORES if evidence.has(one.needs) and not _lacks_lengths(one, evidence)]
    return (*own, *(_of_other(score(one), name) for name, other in evidence.others.items()
                    for one in OF_OTHERS if other.has(score(one).needs)))  # fmt: skip


OF_OTHERS = ("CV margin", "kNN", "own margin")
"""Scores that are computed of other networks, too."""


def of_other(one: str, name: str) -> str:
    """What a score of another network is called."""
    return f"{one}, {name}"


def _of_other(one: Score, name: str) -> Score:
    def of(evidence: Evidence) -> Floats:
        return one.values(evidence.others[name])

    return replace(one, name=of_other(one.name, name), needs="others", of=of)


def _lacks_lengths(one: Score, evidence: Evidence) -> bool:
    return one.name in ("GraNd", "TracIn of itself") and (evidence.course is None or evidence.course.lengths is None)


def combined(suspicions: list[Floats]) -> Floats:
    """(N,) of several scores of suspicion together: −Σ log of the share of examples that are at least as suspect
    (Fisher 1932), in which what one of them is surest of counts most. Ties count half; larger is more suspect."""
    return np.asarray(-sum(np.log(tail(one)) for one in suspicions))


def tail(suspicion: Floats) -> Floats:
    """(N,) the share of examples that are more suspect, and half of those as suspect, itself among them; in (0, 1)."""
    _, which, counts = np.unique(-suspicion, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[which] / len(suspicion))
