"""What mending labels is worth: the same training with labels as given, as mended, and with fewer images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy import stats

from pellucid.data import Data
from pellucid.decisions import Decisions
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.learning.initial import initialized
from pellucid.learning.objective import Objective, Tensors, images_of, objective_of, tensors_of
from pellucid.learning.train import Recipe, evaluated, train
from pellucid.net import Net, apart
from pellucid.notes import Note
from pellucid.rng import generator
from pellucid.training_set.decided import Mended, mended
from pellucid.training_set.examples import PENALTY, Examples, examples_in
from pellucid.training_set.softmax import fitted

Labels = Literal["as given", "mended", "as many removed at random"]
KINDS: tuple[Labels, ...] = get_args(Labels)
What = Literal["head", "network"]
_LEAST = 8


@dataclass(frozen=True, eq=False)
class Ground:
    """What is trained on, N images, and how they were decided about; `judges` are other images, where there are some.

    `given` (N,) are the labels of the data.
    """

    net: Net
    given: Int[np.ndarray, " n"]
    mended: Mended
    classes: int
    features: Float[np.ndarray, "n f"] | None
    """Of the last layer, where that alone is trained."""
    tensors: Tensors | None
    """The images, where the network is."""
    judges: tuple[Float[np.ndarray, "m f"] | Tensors, Int[np.ndarray, " m"]] | None
    objective: Objective | None
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, net: Net, data: Data, decisions: Decisions, test: Data | None, what: What) -> Ground:
        """The data as it is trained on. Raises PellucidError where there are fewer than 8 images, or where the
        decisions are about other labels."""
        found = examples_in(net, data).labeled() if what == "head" else None
        if found is None:
            return cls._of_network(net, data, decisions, test)
        changed = mended(found.names, found.labels, found.classes, decisions)
        _enough(len(found))
        judges = None
        if test is not None:
            other = examples_in(net, test).labeled(1)
            _same(found, other)
            judges = (np.asarray(other.features), other.labels)
        return cls(net, found.labels, changed, len(found.classes), found.features, None, judges, None, found.notes)

    @classmethod
    def _of_network(cls, net: Net, data: Data, decisions: Decisions, test: Data | None) -> Ground:
        data = data.on(net)
        images, labels = images_of(net, data)
        _enough(len(labels))
        given = labels.cpu().numpy()
        classes = tuple(net.class_name(i) for i in range(net.outputs))
        changed = mended(images.ids, given, classes, decisions)
        objective = objective_of(net, images.pixels[:1])
        tensors = _wide(Tensors(apart.inputs_of(net, images.pixels), labels))
        judges = None
        if test is not None:
            others = _wide(tensors_of(net, test))
            judges = (others, others.labels.cpu().numpy())
        return cls(net, given, changed, len(classes), None, tensors, judges, objective)


def trained_again(ground: Ground, recipe: Recipe, seed: int) -> dict[Labels, tuple[float, int]]:
    """Labels -> (accuracy on the images that judge, how many were trained on), for one draw of three fourths."""
    order = generator(seed, "held out").permutation(len(ground.given))
    many = max(3 * len(order) // 4, 1)
    inside, outside = np.sort(order[:many]), np.sort(order[many:])
    kept = inside[ground.mended.kept[inside]]
    fewer = inside[np.sort(generator(seed, "removed at random").permutation(len(inside))[: len(kept)])]
    sets: dict[Labels, tuple[NDArray[np.int64], NDArray[np.int64]]] = {
        "as given": (inside, ground.given), "mended": (kept, ground.mended.labels),
        "as many removed at random": (fewer, ground.given),
    }  # fmt: skip
    found = dict[Labels, tuple[float, int]]()
    for kind, (rows, labels) in sets.items():
        if len(np.unique(labels[rows])) < 2:
            raise PellucidError(f"{kind}: the {len(rows)} images trained on are of one class")
        accuracy = _head(ground, rows, labels, outside) if ground.tensors is None else _network(
            ground, ground.tensors, rows, labels, outside, recipe, seed
        )  # fmt: skip
        found[kind] = accuracy, len(rows)
    return found


def _head(ground: Ground, rows: NDArray[np.int64], labels: NDArray[np.int64], outside: NDArray[np.int64]) -> float:
    features = np.asarray(ground.features)
    weight, bias = fitted(features[rows], labels[rows], ground.classes, PENALTY)
    if ground.judges is None:
        outside = outside[ground.mended.kept[outside]]
        others, truth = features[outside], ground.mended.labels[outside]
    else:
        others, truth = np.asarray(ground.judges[0]), ground.judges[1]
    answers = (np.asarray(others, np.float64) @ weight.T + bias).argmax(1)
    return float((answers == truth).mean())


def _network(
    ground: Ground, tensors: Tensors, rows: NDArray[np.int64], labels: NDArray[np.int64], outside: NDArray[np.int64],
    recipe: Recipe, seed: int,
) -> float:  # fmt: skip
    module = initialized(ground.net.module, "he", seed)
    objective = ground.objective
    if objective is None:
        raise PellucidError("a network is trained by the meaning of its outputs, which is not known here")

    def part(which: NDArray[np.int64], said: NDArray[np.int64]) -> Tensors:
        return Tensors(tensors.inputs[torch.from_numpy(which)], torch.from_numpy(said[which])).like(module)

    train(module, part(rows, labels), Recipe(**{**vars(recipe), "seed": seed}), objective=objective)
    if ground.judges is not None and isinstance(ground.judges[0], Tensors):
        return evaluated(module, ground.judges[0].like(module), objective)[1]
    outside = outside[ground.mended.kept[outside]]
    return evaluated(module, part(outside, ground.mended.labels), objective)[1]


def student_interval(values: Floats) -> tuple[float, float]:
    """The 95 % interval of the mean of (R,) values, by Student's t; NaN for one alone."""
    count = len(values)
    if count < 2:
        return float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, count - 1)) * float(values.std(ddof=1) / np.sqrt(count))
    return float(values.mean()) - half, float(values.mean()) + half


def _wide(found: Tensors) -> Tensors:
    inputs = found.inputs if found.inputs.dtype == torch.float64 else found.inputs.float()
    return Tensors(inputs, found.labels)


def _enough(count: int) -> None:
    if count < _LEAST:
        raise PellucidError(f"{count} images: to train on some and to hold others out takes {_LEAST} at least")


def _same(one: Examples, other: Examples) -> None:
    if one.classes != other.classes:
        raise PellucidError("the test images have other classes than those that are trained on")
