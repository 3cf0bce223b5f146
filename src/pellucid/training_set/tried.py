"""Scores of suspicion tried on labels made wrong on purpose: which to believe, and at which precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pellucid.geometry import Floats
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.statistics import auroc
from pellucid.training_set.joint import cooled, doubt
from pellucid.training_set.noise import Kind, noisy
from pellucid.training_set.suspicion import Evidence, combined, known, of_other

TOGETHER = "combined"
"""The name of what is made of one score of each kind of evidence."""
MOST = 5000
"""Examples that the scores are tried on: with more, all pairs and all fits take long and say little more."""
_LEVEL = 0.01
"""AUROCs that are nearer than this are alike: so much they change from one network to another."""


@dataclass(frozen=True, eq=False)
class Tried:
    """How well S scores find labels that were made wrong, K kinds of noise, R repeats.

    `areas` and `errors` (S, K, R) are AUROCs and their standard errors; `precisions` (S, K, R) the share of wrong
    labels among as many most suspect images as there are wrong ones.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    areas: Float[np.ndarray, "s k r"]
    errors: Float[np.ndarray, "s k r"]
    precisions: Float[np.ndarray, "s k r"]

    @property
    def mean(self) -> Floats:
        """(S,) the mean AUROC over kinds and repeats."""
        return np.asarray(self.areas.mean((1, 2)))

    @property
    def order(self) -> list[int]:
        """Of the scores, the best first."""
        return [int(i) for i in np.argsort(-self.mean, kind="stable")]

    def best(self, among: Sequence[str] | None = None) -> str:
        """The one with the largest mean AUROC."""
        return next(self.names[i] for i in self.order if among is None or self.names[i] in among)

    def alike(self) -> tuple[str, ...]:
        """Those within 0.01 of the best, in order."""
        return tuple(self.names[i] for i in self.order if self.mean[i] >= self.mean.max() - _LEVEL)

    def spread(self, i: int, k: int) -> tuple[float, float]:
        """(mean AUROC of a score with a kind of noise, its standard error): what so few wrong labels leave open."""
        count = self.areas.shape[2]
        return float(self.areas[i, k].mean()), float(np.sqrt((self.errors[i, k] ** 2).sum()) / count)


def tried(evidence: Evidence, share: float, kinds: tuple[Kind, ...], repeats: int, seed: int) -> Tried:
    """Every score that the evidence allows, and what they make together, on labels of which a share is made wrong.

    A last layer learns the wrong labels from the features anew in each repeat (`learned_again`); what the network says
    itself stays as it is. Labels that are wrong already count as right, so that every AUROC is a little too low. Of
    more than 5,000 examples so many are drawn at random.
    """
    if len(evidence.labels) > MOST:
        evidence = evidence.part(np.sort(generator(seed, "tried").permutation(len(evidence.labels))[:MOST]))
    rows, names = list[list[tuple[float, float, float]]](), tuple[str, ...]()
    for kind in kinds:
        for repeat in steps(range(repeats), f"trials with {kind} noise"):
            labels, wrong = noisy(evidence.labels, evidence.classes, share, kind, seed + repeat)
            again = evidence.learned_again(labels)
            said = suspicions(again)
            said[TOGETHER] = together(again, said)
            names = tuple(said)
            rows.append([judged(one, wrong) for one in said.values()])
    found = np.array(rows).reshape(len(kinds), repeats, len(names), 3).transpose(3, 2, 0, 1)
    return Tried(names, kinds, *found)


def suspicions(evidence: Evidence) -> dict[str, Floats]:
    """Name of a score -> (N,) suspicion, of all scores that the evidence allows."""
    return {one.name: one.suspicion(evidence) for one in known(evidence)}


def together(evidence: Evidence, said: dict[str, Floats]) -> Floats:
    """(N,) one score for each kind of evidence that there is (`parts`), combined. With other networks the mean of the
    log probabilities that each of them gives (`doubt`), which finds labels made wrong as people err far better."""
    if not evidence.others:
        return combined([said[name] for name in parts(evidence)])
    views = list[Floats]()
    for one in (evidence, *evidence.others.values()):
        if one.answers is not None and _knows(one):
            views.append(cooled(one.answers, one.labels))
        if one.features is not None:
            views.append(np.log(np.maximum(one.confident.probabilities, 1e-12)))
    return doubt(views, evidence.labels)


def parts(evidence: Evidence) -> list[str]:
    """Names of the scores that are combined: of what was said while the labels were learned, out of fold, by neighbors
    in the last layer and in the second space, and by the network itself, where it knows these classes: where it is
    right at least 0.8 times as often as the fits out of fold. Which ones is fixed, and no wrong label decides it. With
    other networks those of the network and of each other one, out of fold and by itself.
    """
    there = {one.name for one in known(evidence)} - (set() if _knows(evidence) else {PARTS[-1]})
    if not evidence.others:
        return [name for name in PARTS if name in there]
    found = [name for name in JOINT if name in there]
    for name, other in evidence.others.items():
        found += [of_other(one, name) for one in JOINT
                  if of_other(one, name) in there and (one != PARTS[-1] or _knows(other))]  # fmt: skip
    return found


def _knows(evidence: Evidence) -> bool:
    """Whether the network's own answers are about as often right as those that are fitted out of fold."""
    if evidence.answers is None or evidence.features is None:
        return True
    own, other = (float((one.argmax(1) == evidence.labels).mean())
                  for one in (evidence.answers, evidence.confident.probabilities))  # fmt: skip
    return own >= _KNOWS * other


JOINT = ("CV margin", "own margin")
"""Whose probabilities are averaged where there are several networks."""
PARTS = ("AUM", "CV margin", "kNN", "kNN, second space", "own margin")
_KNOWS = 0.8


def judged(suspicion: Floats, wrong: Bool[np.ndarray, " n"]) -> tuple[float, float, float]:
    """(AUROC, its standard error, the share of wrong ones among as many most suspect ones as there are)."""
    area, error = auroc(suspicion[wrong], suspicion[~wrong])
    top = np.argsort(-suspicion, kind="stable")[: int(wrong.sum())]
    return area, error, float(wrong[top].mean())


def average_precision(suspicion: Floats, wrong: Bool[np.ndarray, " n"]) -> float:
    """The mean over wrong ones of the share of wrong ones among all that are at least as suspect, in order."""
    hits = wrong[np.argsort(-suspicion, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()) if hits.any() else float("nan")
