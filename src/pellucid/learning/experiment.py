"""A network's architecture trained again and again from new weights, on the same images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.learning.initial import initialized, own
from pellucid.learning.objective import Objective, Tensors, held_out, images_of, objective_of
from pellucid.learning.state import raw
from pellucid.learning.train import Recipe, Trained
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.resume import Coordinates, kept

SERIES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
"""Of a training, epoch by epoch: the columns of `series`."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is trained: copies of a network with weights drawn anew (He et al. 2015), on images of which others are held
    out. The network itself is left alone."""

    net: Net
    given: Tensors
    test: Tensors
    objective: Objective

    @classmethod
    def of(cls, net: Net, data: Data, images: int, seed: int) -> Experiment:
        """Some of the images, at random, to train on, and others to test on (`held_out`)."""
        shuffled = data.on(net).shuffled(seed)
        given, test = held_out(net, shuffled, images)
        objective = objective_of(net, images_of(net, shuffled.part(0, 1))[0].pixels[:1])
        weights = own(net.module, net.name)  # refuses what cannot be copied; the type that is trained
        return cls(net, given.like(weights), test.like(weights), objective)

    def fresh(self, seed: int) -> nn.Module:
        """The architecture with He's initialization."""
        return initialized(self.net.module, "he", seed)

    @property
    def classes(self) -> torch.Tensor:
        """Those of the training images, in order."""
        found: torch.Tensor = self.given.labels.unique()
        return found

    @property
    def chance(self) -> float:
        """Accuracy of one who names any class of the training images."""
        return 1 / len(self.classes)

    def unlearned(self, accuracy: float) -> str:
        """A finding where an accuracy on the held-out images is no better than chance, from which nothing follows; ""
        elsewhere."""
        if accuracy - 2 * self.error(accuracy) > self.chance:
            return ""
        found = f"with all weights it has learned nothing, {accuracy:.1%} where chance is {self.chance:.1%}"
        return f"{found}: more epochs or images are needed before anything follows"

    def error(self, accuracy: float) -> float:
        """Standard error of an accuracy on the held-out images."""
        return float(np.sqrt(max(accuracy * (1 - accuracy), 0.0) / len(self.test)))

    def with_data(self, given: Tensors, test: Tensors) -> Experiment:
        """The same about other images."""
        return replace(self, given=given, test=test)

    def resumed(
        self, what: str, recipe: Recipe, measure: Callable[[Coordinates], Floats]
    ) -> Callable[[Coordinates], Floats]:
        """`measure`, whose numbers are kept inside `pl.resumable`: a training that was finished is not done again."""

        def identity() -> str:
            digest = hashlib.sha256()
            for part in (self.given, self.test):
                digest.update(raw(part.inputs) + raw(part.labels))
            return json.dumps([what, self.net.identity, digest.hexdigest(), asdict(recipe), machine(self.net)])

        return kept(identity, measure)


def series(found: Trained) -> Float[np.ndarray, "epochs 4"]:
    """(epochs + 1, 4) losses in nats and accuracies of a training, the first row before any step."""
    return np.stack([found.series(name) for name in SERIES], 1)


def finite(values: Floats) -> Floats:
    """With NaN, which curves leave out, for what is not finite."""
    return np.where(np.isfinite(values), values, np.nan)
