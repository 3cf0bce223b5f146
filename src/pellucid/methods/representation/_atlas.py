"""Sampled activations, where they lie, and what they speak for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.chance import generator
from pellucid.errors import PellucidError, Refused
from pellucid.index import Index
from pellucid.net import Net
from pellucid.progress import steps

_TOGETHER = 8
"""Pictures in a batch."""
ASKED = 3
"""Best guesses of each picture whose attribution is computed."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """One activation of a layer from each of many pictures, and the classes that it speaks for there."""

    rows: Float[np.ndarray, "n channels"]
    classes: Int[np.ndarray, "n k"]
    attribution: Float[np.ndarray, "n k"]
    """h·∇logit: of the whole logit, by how much it rests on this activation (Carter et al. 2019, class attribution)."""


def sampled(index: Index, layer: str, most: int, seed: int) -> Sampled:
    """One random place that is not at the edge, in each of up to `most` pictures drawn at random."""
    which = np.arange(index.n_images)
    if len(which) > most:
        which = np.sort(generator(seed, "pictures").choice(len(which), most, replace=False))
    which = which[[i not in index.unreadable for i in which.tolist()]]  # the index has said so
    found = []
    for start in steps(range(0, len(which), _TOGETHER), "activations"):
        numbers, pixels = _read(index, which[start : start + _TOGETHER].tolist())
        places = [generator(seed, "place", i) for i in numbers]
        found += [_looked(index.net, part, layer, places[k : k + len(part)]) for k, part in pixels]
    if not found:
        raise PellucidError("no picture of the index can be read: there is nothing to make an atlas of")
    rows, classes, attribution = (np.concatenate(part) for part in zip(*found, strict=True))
    return Sampled(rows, classes, attribution)


def _read(index: Index, numbers: list[int]) -> tuple[list[int], list[tuple[int, Tensor]]]:
    """(the pictures that can be read, batches of those of one size with where each begins)."""
    good, pictures = [], []
    for i in numbers:
        picture = index.readable(i)
        if picture is not None:
            pictures.append(index.net.see(picture).pictures[0])
            good.append(i)
    if len({one.shape for one in pictures}) == 1:
        return good, [(0, torch.stack(pictures))]
    return good, [(k, one[None]) for k, one in enumerate(pictures)]


def _looked(
    net: Net, pixels: Tensor, layer: str, chance: Sequence[np.random.Generator]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """(activations, classes, their attribution) at one place of each picture."""
    run = net.run(pixels, at=[layer], grad=True)
    activation = run.at[layer]
    if activation.dim() != 4:
        raise Refused(f"layer {layer!r} has no places: an atlas is made of a layer with maps")
    spots = [[int(one.integers(side > 2, side - (side > 2))) for side in activation.shape[2:]] for one in chance]
    y, x = torch.tensor(spots).T
    every = torch.arange(len(pixels))
    rows = activation[every, :, y, x].detach().double()
    try:
        scores = run.by_class
    except Refused:  # no row of classes: an atlas without them
        return rows.cpu().numpy(), np.zeros((len(pixels), 0), np.int64), np.zeros((len(pixels), 0))
    if not scores.requires_grad:  # the layer does not lead to the classes
        return rows.cpu().numpy(), np.zeros((len(pixels), 0), np.int64), np.zeros((len(pixels), 0))
    best = scores.detach().topk(min(ASKED, scores.shape[1]), dim=1).indices
    found = []
    for rank in range(best.shape[1]):
        with torch.enable_grad():
            asked = scores[every, best[:, rank]].sum()
        (slope,) = run.gradients(asked, activation, retain_graph=rank + 1 < best.shape[1])
        found.append((slope[every, :, y, x].double() * rows).sum(1))
    return rows.cpu().numpy(), best.cpu().numpy(), torch.stack(found, 1).cpu().numpy()


def celled(
    places: Float[np.ndarray, "n 2"], grid: int, least: int
) -> tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, "m 2"], list[NDArray[np.int64]]]:
    """(places in cells, (row, column) of the cells with at least `least` in them, which those are).

    The plane is cut at the first and the 99th percentile of each axis, with a tenth of that more on every side.
    """
    low, high = np.percentile(places, [1, 99], axis=0)
    span = np.maximum(high - low, 1e-12)
    at = ((places - low + 0.1 * span) / (1.2 * span)).clip(0, 1 - 1e-9) * grid
    numbers = at[:, 1].astype(np.int64) * grid + at[:, 0].astype(np.int64)
    kept = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    kept = [one for one in kept if len(one) >= least]
    cells = np.array([divmod(int(numbers[one[0]]), grid) for one in kept], np.int64).reshape(-1, 2)
    return at, cells, kept


def whitened(rows: Float[np.ndarray, "n channels"], means: Float[np.ndarray, "m channels"]) -> NDArray[np.float64]:
    """S⁻¹ m: what distinguishes a mean from what all activations have in common; S = E[h hᵀ].

    Shrunk towards a multiple of the identity by channels / (channels + activations): few do not tell S.
    """
    count, channels = rows.shape
    moments = rows.T @ rows / count
    share = channels / (channels + count)
    size = np.trace(moments) / channels or 1.0
    return np.asarray(np.linalg.solve((1 - share) * moments + share * size * np.eye(channels), means.T).T)


def strongest(net: Net, found: Sampled, which: NDArray[np.int64], most: int = 3) -> tuple[tuple[str, float], ...]:
    """The classes that these activations speak for most, by the mean attribution over all of them."""
    sums: dict[int, float] = {}
    for index, value in zip(
        found.classes[which].ravel().tolist(), found.attribution[which].ravel().tolist(), strict=True
    ):
        sums[index] = sums.get(index, 0.0) + value / len(which)
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:most]
    return tuple((net.class_name(index), value) for index, value in ordered)
