"""Three ways to train a concept bottleneck, and what happens when a person corrects its concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.interpretable.cells import Cells, Judged
from pellucid.interpretable.special import Bottleneck, ConceptWhitening, one_hot
from pellucid.learning.networks import seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Passed, Recipe, train
from pellucid.rng import generator
from pellucid.statistics import auroc

Order = Literal["uncertain", "random"]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Rows (N, F) of a layer, classes (N,) and concepts (N, K) with so many values each; `train` and `test` rows."""

    rows: Tensor
    labels: Tensor
    concepts: Tensor
    sizes: tuple[int, ...]
    train: Tensor
    test: Tensor
    classes: int

    @classmethod
    def of(cls, some: Cells, concepts: Tensor, sizes: tuple[int, ...]) -> Lesson:
        """Of images at a layer."""
        return cls(some.rows(), some.labels, concepts, sizes, some.train, some.test, len(some.classes))

    @property
    def true(self) -> Tensor:
        """(N, Σ sizes) one-hot."""
        return one_hot(self.concepts, self.sizes)

    def concept_loss(self, scores: Tensor, numbers: Tensor) -> Tensor:
        """(n,) the sum over concepts of the cross entropy of their values."""
        parts = scores.split(self.sizes, -1)
        return torch.stack([F.cross_entropy(part, self.concepts[numbers, k], reduction="none")
                            for k, part in enumerate(parts)]).sum(0)  # fmt: skip

    def ceiling(self) -> float:
        """The most that anybody could have right of the held-out images who knows the true concepts and nothing else:
        each combination's most frequent class among them."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for i in self.test.tolist():
            groups.setdefault(tuple(self.concepts[i].tolist()), []).append(int(self.labels[i]))
        return sum(max(map(own.count, own)) for own in groups.values()) / len(self.test)


def learned(lesson: Lesson, way: str, strength: float, recipe: Recipe, hidden: int) -> Bottleneck:
    """A bottleneck trained the way that is named: "independent" (classes from true concepts), "sequential" (from those
    predicted), or "joint" (both at once, the concepts' loss times `strength`)."""
    head = seeded(lambda: Bottleneck(lesson.rows.shape[1], lesson.sizes, lesson.classes, hidden=hidden), recipe.seed)
    x, labels = lesson.rows[lesson.train], lesson.labels[lesson.train]
    if way == "joint":

        def penalty(batch: Passed) -> Tensor:
            return strength * lesson.concept_loss(head.scores(batch.inputs), lesson.train[batch.numbers]).mean()

        train(head, Tensors(x, labels), recipe, penalty=penalty)
        return head.eval()

    def objective(output: Any, numbers: Tensor) -> tuple[Tensor, Tensor]:
        losses = lesson.concept_loss(output, numbers)
        return losses, torch.zeros(len(losses), dtype=torch.bool)

    train(head.to_concepts, Tensors(x, lesson.train), recipe, objective=objective)
    with torch.no_grad():
        seen = lesson.true[lesson.train] if way == "independent" else head.eval().concepts(x)
    train(head.to_classes, Tensors(seen, labels), recipe)
    return head.eval()


def corrected(head: Bottleneck, lesson: Lesson, order: Order, seed: int) -> list[Judged]:
    """How many held-out images are right once 0, 1, … all concepts are set right: of each image the most uncertain
    first, by entropy, or at random."""
    test = lesson.test
    with torch.no_grad():
        concepts, true = head.concepts(lesson.rows[test]), lesson.true[test]
        if order == "uncertain":
            parts = concepts.split(lesson.sizes, -1)
            ranks = torch.stack([-(p * p.clamp(min=1e-12).log()).sum(-1) for p in parts], 1)
        else:
            ranks = torch.from_numpy(generator(seed, "order").random((len(test), len(lesson.sizes))))
        places = ranks.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        found = []
        for many in range(len(lesson.sizes) + 1):
            said = head.to_classes(head.corrected(concepts, true, places < many)).argmax(1)
            found.append(Judged(head, (said == lesson.labels[test]).numpy()))
    return found


def concept_accuracy(head: Bottleneck, lesson: Lesson) -> Float[np.ndarray, " k"]:
    """(K,) share of the held-out images of which each concept is right."""
    with torch.no_grad():
        parts = head.scores(lesson.rows[lesson.test]).split(lesson.sizes, -1)
    true = lesson.concepts[lesson.test]
    return np.array([float((part.argmax(1) == true[:, k]).double().mean()) for k, part in enumerate(parts)])


def whitened(lesson: Lesson, values: Sequence[tuple[str, int, int]]) -> list[tuple[float, float]]:
    """For each (name, concept, value): how well one number tells held-out images that have it from others, as AUROC:
    (the best single channel, chosen on the training images; its axis after concept whitening). NaN where the held-out
    images all have it, or none."""
    given, test = lesson.rows[lesson.train].double(), lesson.rows[lesson.test].double()
    has = [lesson.concepts[:, k] == v for _, k, v in values]
    layer = ConceptWhitening(given.shape[1]).fit(given, damping=1e-2)
    layer.align([given[own[lesson.train]] for own in has])
    axes = layer(test)
    found = []
    for j, own in enumerate(has):
        here, there = own[lesson.train], own[lesson.test]
        if there.all() or not there.any() or here.all() or not here.any():
            found.append((float("nan"), float("nan")))
            continue
        gaps = given[here].mean(0) - given[~here].mean(0)
        best = int((gaps / given.std(0).clamp(min=1e-9)).abs().argmax())
        channel = test[:, best] * gaps[best].sign()
        found.append((_auroc(channel, there), _auroc(axes[:, j], there)))
    return found


def _auroc(values: Tensor, there: Tensor) -> float:
    return auroc(values[there].double().numpy(), values[~there].double().numpy())[0]
