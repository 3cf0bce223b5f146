"""How examples were learned: one number for each, of what a network said of it after each of several epochs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from pellucid.errors import PellucidError
from pellucid.geometry import Floats

EARLY = 0.25
"""Share of the epochs after which scores of early training look: long before labels are learned by heart."""


@dataclass(frozen=True, eq=False)
class Course:
    """What a network said of N examples after each of T epochs or checkpoints, in their order.

    `logits` (T, N, C), `labels` (N,) the given classes; `lengths` (T, N) the squared lengths of what the last layer
    read, without the 1 of its bias, and `rates` (T,) the learning rates, where they are known.
    """

    logits: Float[np.ndarray, "t n c"]
    labels: Int[np.ndarray, " n"]
    lengths: Float[np.ndarray, "t n"] | None = None
    rates: Float[np.ndarray, " t"] | None = None

    def __post_init__(self) -> None:
        logits, labels = np.asarray(self.logits), np.asarray(self.labels)
        if logits.ndim != 3 or logits.shape[0] < 1 or logits.shape[2] < 2:
            raise PellucidError(
                f"logits {logits.shape}: (epochs, examples, classes), one epoch and two classes at the least"
            )
        if labels.shape != logits.shape[1:2]:
            raise PellucidError(f"{labels.shape} labels for logits {logits.shape}: one for each example")
        if len(labels) and not 0 <= labels.min() <= labels.max() < logits.shape[2]:
            raise PellucidError(f"labels from {labels.min()} to {labels.max()} for {logits.shape[2]} classes")
        bad = ~np.isfinite(logits).all((0, 2))
        if bad.any():
            raise PellucidError(f"example {int(bad.argmax())} has logits that are not finite: leave it out")
        for name, wanted in (("lengths", logits.shape[:2]), ("rates", logits.shape[:1])):
            given = getattr(self, name)
            if given is not None and given.shape != wanted:
                raise PellucidError(f"{name} {given.shape} for logits {logits.shape}: {wanted}")

    def __len__(self) -> int:
        """How many epochs."""
        return len(self.logits)

    @cached_property
    def margins(self) -> Float[np.ndarray, "t n"]:
        """(T, N) the logit of the given class less the largest of the others."""
        return margins(self.logits, self.labels)

    @cached_property
    def log_probabilities(self) -> Float[np.ndarray, "t n c"]:
        """(T, N, C) natural logarithms."""
        return log_softmax(self.logits)

    @cached_property
    def losses(self) -> Float[np.ndarray, "t n"]:
        """(T, N) −log p of the given class, in nats."""
        return -_of_label(self.log_probabilities, self.labels)

    @cached_property
    def right(self) -> Bool[np.ndarray, "t n"]:
        """(T, N) whether the given class is the answer; of equal logits it is not."""
        return np.asarray(self.margins > 0)

    @property
    def early(self) -> int:
        """The place of the early epoch."""
        return int(np.ceil(EARLY * len(self))) - 1


def log_softmax(logits: Float[np.ndarray, "... c"]) -> Float[np.ndarray, "... c"]:
    """The natural logarithms of the probabilities, along the last axis."""
    apart = logits - logits.max(-1, keepdims=True)
    return np.asarray(apart - np.log(np.exp(apart).sum(-1, keepdims=True)))


def margins(scores: Float[np.ndarray, "... n c"], labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "... n"]:
    """(…, N) the score of the given class less the largest of the others."""
    own = _of_label(scores, labels)
    others = np.where(np.arange(scores.shape[-1]) == labels[:, None], -np.inf, scores)
    return np.asarray(own - others.max(-1))


def _of_label(values: Float[np.ndarray, "... n c"], labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "... n"]:
    return np.asarray(values[..., np.arange(len(labels)), labels])


def distances(log_probabilities: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """(N,) ‖p − e_y‖, the length of the gradient of the loss with respect to the logits; from 0 to √2."""
    residue = np.exp(log_probabilities)
    residue[np.arange(len(labels)), labels] -= 1
    return np.asarray(np.sqrt((residue**2).sum(-1)))


def aum(course: Course) -> Floats:
    """(N,) area under the margin: the mean over epochs of the margin of logits (Pleiss et al. 2020, equation 1)."""
    return np.asarray(course.margins.mean(0))


def mean_loss(course: Course) -> Floats:
    """(N,) the mean over epochs of the loss, in nats."""
    return np.asarray(course.losses.mean(0))


def final_margin(course: Course) -> Floats:
    """(N,) the margin of logits after the last epoch."""
    return np.asarray(course.margins[-1])


def final_loss(course: Course) -> Floats:
    """(N,) the loss after the last epoch, in nats."""
    return np.asarray(course.losses[-1])


def el2n(course: Course) -> Floats:
    """(N,) ‖p − e_y‖ after the early epoch (Paul et al. 2021, definition 2.2)."""
    return distances(course.log_probabilities[course.early], course.labels)


def grand(course: Course) -> Floats:
    """(N,) the length of the gradient of the loss with respect to weight and bias of the last layer after the early
    epoch: ‖p − e_y‖ √(‖h‖² + 1) (Paul et al. 2021, definition 2.1, of that layer alone)."""
    return np.asarray(el2n(course) * np.sqrt(_lengths(course)[course.early] + 1))


def tracin_self(course: Course) -> Floats:
    """(N,) Σ_t η_t ‖∇ℓ_t‖², gradients with respect to the last layer alone: how much an example speaks for itself
    (Pruthi et al. 2020, section 3.2). Without known rates each epoch counts the same, as 1."""
    rates = np.ones(len(course)) if course.rates is None else course.rates
    sizes = [distances(said, course.labels) ** 2 for said in course.log_probabilities]
    return np.asarray((rates[:, None] * np.stack(sizes) * (_lengths(course) + 1)).sum(0))


def forgetting(course: Course) -> Floats:
    """(N,) how often an example was right after one epoch and wrong after the next (Toneva et al. 2019, definition
    2.1); the number of epochs, which no other can have, for what was never right."""
    lost = (course.right[:-1] & ~course.right[1:]).sum(0)
    return np.where(course.right.any(0), lost, len(course)).astype(np.float64)


def confidence(course: Course) -> Floats:
    """(N,) the mean over epochs of the probability of the given class (Swayamdipta et al. 2020, section 2)."""
    return np.asarray(np.exp(-course.losses).mean(0))


def variability(course: Course) -> Floats:
    """(N,) its standard deviation over epochs: large for what is ambiguous, small for what is easy, or never learned
    (Swayamdipta et al. 2020, section 2)."""
    return np.asarray(np.exp(-course.losses).std(0))


def mistakenness(course: Course) -> Floats:
    """(N,) (m exp(−H) + 1) / 2 after the last epoch, m = 1 where the answer is another class than the given one and
    −1 where it is that; H is the entropy of the answer, in nats. From 0, surely right, to 1, surely mistaken."""
    said = course.log_probabilities[-1]
    entropy = -(np.exp(said) * said).sum(-1)
    return np.asarray((np.where(course.right[-1], -1.0, 1.0) * np.exp(-entropy) + 1) / 2)


def _lengths(course: Course) -> Floats:
    if course.lengths is None:
        raise PellucidError("no lengths of what the last layer read: this score needs the features of each epoch")
    return course.lengths
