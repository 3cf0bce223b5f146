"""Small tasks that train in seconds: the digits of scikit-learn, with true, flipped or random labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from pellucid.data import Data
from pellucid.errors import MissingExtra, PellucidError
from pellucid.learning.objective import Tensors
from pellucid.rng import generator


@dataclass(frozen=True, eq=False)
class Task:
    """Images to train on and others to test on: inputs (N, 1, 8, 8) in 0..1, float32."""

    train: Tensors
    test: Tensors
    classes: int = 10

    @property
    def data(self) -> Data:
        """The training images as a network is asked about them."""
        return _data(self.train)

    @property
    def test_data(self) -> Data:
        """The others."""
        return _data(self.test)


def digits(count: int = 800, seed: int = 0) -> Task:
    """Digits of 8 × 8 pixels (Alpaydin & Kaynak 1998): `count` of the 1,797 at random to train on, the rest to test on.

    Raises MissingExtra without scikit-learn, whose data it is.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("the digits", "", package="scikit-learn") from error
    found = load_digits()
    if not 0 < count < len(found.target):
        raise PellucidError(f"digits({count}): 1 to {len(found.target) - 1} of them")
    order = generator(seed, "digits").permutation(len(found.target))
    inputs = torch.from_numpy((found.images[order] / 16).astype(np.float32))[:, None]
    labels = torch.from_numpy(found.target[order].astype(np.int64))
    return Task(Tensors(inputs[:count], labels[:count]), Tensors(inputs[count:], labels[count:]))


def flipped(task: Task, share: float, seed: int = 0) -> Task:
    """The same with a share of the training labels replaced by another class, drawn at random; 1 replaces each label by
    one that is drawn from all classes (Zhang et al. 2017), the true one among them.
    """
    chance = generator(seed, "labels")
    labels = task.train.labels.clone()
    many = round(share * len(labels))
    chosen = torch.from_numpy(chance.permutation(len(labels))[:many])
    if share == 1:
        drawn = torch.from_numpy(chance.integers(task.classes, size=len(labels)))
        return replace(task, train=Tensors(task.train.inputs, drawn))
    labels[chosen] = (labels[chosen] + torch.from_numpy(chance.integers(1, task.classes, size=many))) % task.classes
    return replace(task, train=Tensors(task.train.inputs, labels))


def _data(part: Tensors) -> Data:
    return Data.of((part.inputs, part.labels), pixels="0..1")
