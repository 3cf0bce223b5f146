"""Activations of a layer, one from each of many images, and the classes that they speak for there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import Refused
from pellucid.index.index import Index
from pellucid.net import Run
from pellucid.rng import generator

ASKED = 3
"""Best guesses of each image whose attribution is computed."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """One activation of a layer from each of many images, and the classes that it speaks for there."""

    rows: Float[np.ndarray, "n channels"]
    classes: Int[np.ndarray, "n k"]
    attribution: Float[np.ndarray, "n k"]
    """h·∇logit: of the whole logit, by how much it rests on this activation (Carter et al. 2019, class attribution)."""


def sampled(index: Index, layer: str, most: int, seed: int) -> Sampled:
    """One random place that is not at the edge, in each of up to `most` images drawn at random."""
    which = np.arange(index.n_images)
    if len(which) > most:
        which = np.sort(generator(seed, "pictures").choice(len(which), most, replace=False))
    which = which[[i not in index.unreadable for i in which.tolist()]]  # the index has said so
    found = []
    for batch in index.over(which, layers=[layer], grad=True):
        found.append(_looked(batch.run, layer, [generator(seed, "place", int(which[k])) for k in batch.numbers]))
    rows, classes, attribution = (np.concatenate(part) for part in zip(*found, strict=True))
    return Sampled(rows, classes, attribution)


def _looked(
    run: Run, layer: str, chance: Sequence[np.random.Generator]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """(activations, classes, their attribution) at one place of each image."""
    activation = run.at[layer]
    if activation.dim() != 4:
        raise Refused(f"layer {layer!r} has no places: an atlas is made of a layer with maps")
    spots = [[int(one.integers(side > 2, side - (side > 2))) for side in activation.shape[2:]] for one in chance]
    y, x = torch.tensor(spots).T
    every = torch.arange(len(chance))
    rows = activation[every, :, y, x].detach().double()
    try:
        scores = run.by_class
    except Refused:  # no row of classes: an atlas without them
        return rows.cpu().numpy(), np.zeros((len(chance), 0), np.int64), np.zeros((len(chance), 0))
    if not scores.requires_grad:  # the layer does not lead to the classes
        return rows.cpu().numpy(), np.zeros((len(chance), 0), np.int64), np.zeros((len(chance), 0))
    best = scores.detach().topk(min(ASKED, scores.shape[1]), dim=1).indices
    found = []
    for rank in range(best.shape[1]):
        with torch.enable_grad():
            asked = scores[every, best[:, rank]].sum()
        (slope,) = run.gradients(asked, activation, retain_graph=rank + 1 < best.shape[1])
        found.append((slope[every, :, y, x].double() * rows).sum(1))
    return rows.cpu().numpy(), best.cpu().numpy(), torch.stack(found, 1).cpu().numpy()
