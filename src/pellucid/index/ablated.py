"""What a network says and how its units answer, with a unit and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.geometry import Floats
from pellucid.index.index import Index
from pellucid.net.classes import class_of
from pellucid.rng import generator

Edit = Callable[[Tensor], Tensor]
Spread = tuple[float | None, float | None]
"""A mean and its standard error; None where there are too few values."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Of every image the probabilities of all classes, or None where the network has none, and the largest
    activations of the units above.
    """

    probabilities: Floats | None
    maxima: Floats


def sampled(index: Index, count: int, seed: int) -> NDArray[np.int64]:
    """Numbers of so many images of the index, at random; those that cannot be read are left out."""
    order = generator(seed, "ablation").permutation(index.n_images).tolist()
    chosen = list(islice((i for i in order if i not in index.unreadable and index.readable(i) is not None), count))
    if len(chosen) < 2:
        raise PellucidError(f"the index has {len(chosen)} readable images: an error bar needs two")
    return np.sort(np.array(chosen, np.int64))


def replaced(channel: int, value: float) -> Edit:
    """An edit that gives one channel the same value everywhere."""

    def edit(activation: Tensor) -> Tensor:
        changed = activation.clone()
        changed[:, channel] = value
        return changed

    return edit


def answered(
    index: Index, images: NDArray[np.int64], edits: Sequence[Mapping[str, Edit]], above: Sequence[str]
) -> list[Answers]:
    """The network's answers to images under each of the edits; what is above is recorded for the first two alone."""
    net = index.net
    found: list[tuple[list[Floats], list[Floats]]] = [([], []) for _ in edits]
    for batch in index.over(images, layers=above, edit=edits[0]):
        pixels = batch.images.pixels
        for k, (edit, (told, maxima)) in enumerate(zip(edits, found, strict=True)):
            run = net.run(pixels, layers=above if k == 1 else (), edit=edit) if k else batch.run
            maxima.append(_maxima([run[name] for name in above] if k < 2 else [], len(batch)))
            try:
                told.append(_probabilities(run.probabilities))
            except Refused:
                continue
    return [Answers(np.concatenate(told) if told else None, np.concatenate(maxima)) for told, maxima in found]


def truth(index: Index, images: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
    """(the class of each image among the network's, whether it is known); -1 and False where it is not."""
    names, net, labels = index.classes, index.net, index.labels(images)
    unknown = np.full(len(images), -1, np.int64), False
    if not names or (labels < 0).any():
        return unknown
    try:
        classes = [class_of(net, name, k, len(names), None, str(index.source)) for k, name in enumerate(names)]
    except PellucidError:  # the index has classes of its own
        return unknown
    return np.array(classes, np.int64)[labels], True


def spread(values: Floats) -> Spread:
    """Mean and standard error."""
    if not len(values):
        return None, None
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None


def _maxima(activations: Sequence[Tensor], count: int) -> Floats:
    """(images, units) largest over places."""
    if not activations:
        return np.zeros((count, 0))
    flat = [one.detach().flatten(2).amax(2) if one.dim() > 2 else one.detach() for one in activations]
    found: Floats = torch.cat([one.double().cpu() for one in flat], 1).numpy()
    return found


def _probabilities(chances: Tensor) -> Floats:
    """(images, classes); of one probability, those of both answers."""
    wide = chances.detach().double().cpu()
    found: Floats = (torch.cat([1 - wide, wide], 1) if wide.shape[1] == 1 else wide).numpy()
    return found
