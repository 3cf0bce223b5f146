"""What many images are at a layer of a network: the place where modules of this room are put, and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.data import NewTask
from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.learning.features import PIXELS
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Passed, Recipe, Trained, train
from pellucid.net import Net
from pellucid.net.tap import called
from pellucid.rng import generator
from pellucid.statistics import error_of_mean, share_of

SIDE = 32
"""Of images whose pixels are the layer, at most."""
MOST = 16
"""Cells along a side, at most: of finer maps the means of neighbors are taken."""
_LEAST = 8


@dataclass(frozen=True, eq=False)
class Cells:
    """Of N images `maps` (N, C, H, W) at a layer, divided by `scale` so that their mean square is 1; vectors have one
    cell. `labels` (N,) are their classes, `numbers` (N,) their places in the data; `train` and `test` are rows."""

    maps: Tensor
    labels: Tensor
    numbers: Int[np.ndarray, " n"]
    classes: tuple[str, ...]
    layer: str
    placement: Placement
    size: tuple[int, int]
    scale: float
    train: Tensor
    test: Tensor

    @property
    def channels(self) -> int:
        """How many numbers a cell has."""
        return int(self.maps.shape[1])

    def of(self, rows: Tensor) -> Tensors:
        """Some of the images, as a module is trained on them."""
        return Tensors(self.maps[rows], self.labels[rows])

    def rows(self) -> Tensor:
        """(N, C), the means over places."""
        return self.maps.mean((2, 3))

    def flat(self) -> Cells:
        """The same as one cell each: all pixels where these are the layer, else the means over places."""
        rows = self.maps.flatten(1) if self.layer == PIXELS else self.rows()
        return replace(self, maps=rows[:, :, None, None])

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of what a cell looks at, in pixels of the network's input, inside it."""
        rows, columns = self.placement.centers(*self.maps.shape[-2:])
        ends = []
        for at, far, long in zip((rows[row], columns[column]), self.placement.patch, self.size, strict=True):
            low = min(max(round(float(at) + 0.5 - far / 2), 0), long - 1)
            ends.append((low, max(min(round(float(at) + 0.5 + far / 2), long), low + 1)))
        return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def cells(net: Net, data: NewTask, layer: str | None, seed: int = 0) -> Cells:
    """The images at a layer: the last with maps where None is given, the pixels themselves for "pixels".

    Three fourths of them, drawn at random, are `train`. Raises PellucidError for fewer than 8 images, for one class
    alone, and where a number is not finite.
    """
    rows = net.layers(net.size)
    last = rows.last_map()
    name = layer or (last.name if last else PIXELS)
    held: list[Tensor] = []
    labels, numbers = list[Tensor](), list[int]()
    size = net.size
    for batch in net.over(data, layers=() if name == PIXELS else (name,), stop=name != PIXELS):
        size = (int(batch.images.pixels.shape[-2]), int(batch.images.pixels.shape[-1]))
        held.append(_fine(batch.images.pixels if name == PIXELS else batch.run[name], SIDE if name == PIXELS else MOST))
        if batch.labels is None:
            raise PellucidError(f"{data} has no classes: a network that is to be trained needs one for each image")
        labels.append(batch.labels.cpu())
        numbers += batch.numbers
    if len(numbers) < _LEAST:
        raise PellucidError(f"{len(numbers)} images: to train on some and to hold others out takes {_LEAST} at least")
    maps, classes = torch.cat(held), torch.cat(labels)
    if not torch.isfinite(maps).all():
        raise PellucidError(f"{name} of {net.name} has numbers that are not finite")
    if len(classes.unique()) < 2:
        raise PellucidError(f"all images of {data} are of one class: two at least are to be told apart")
    scale = 1.0 if name == PIXELS else float(maps.square().mean().sqrt().clamp(min=1e-12))
    order = torch.from_numpy(generator(seed, "held out").permutation(len(maps)))
    cut = len(maps) * 3 // 4
    given = None if name == PIXELS else net.layer(name, size)
    told = tuple(data.class_name(k) for k in range(int(classes.max()) + 1))
    return Cells(
        maps / scale, classes, np.array(numbers), told, name if given is None else given.name,
        _placed(None if given is None else given.placement, given and given.shape, maps, size), size, scale,
        order[:cut].sort().values, order[cut:].sort().values,
    )  # fmt: skip


def _fine(maps: Tensor, most: int) -> Tensor:
    """(N, C, H, W) in float32 on the CPU, no side longer than so many cells."""
    found = maps.detach().float().cpu()
    found = found if found.dim() == 4 else found.flatten(1)[:, :, None, None]
    sides = min(found.shape[-2], most), min(found.shape[-1], most)
    return found if sides == tuple(found.shape[-2:]) else F.adaptive_avg_pool2d(found, sides)


def _placed(known: Placement | None, shape: Any, maps: Tensor, size: tuple[int, int]) -> Placement:
    """Where the kept cells lie: as the layer's, or in the middle of those of which they are the mean."""
    rows, columns = maps.shape[-2:]
    if known is None or not shape or len(shape) != 3 or maps.shape[-2:].numel() == 1:
        return Placement.stretched(rows, columns, *size)
    if (rows, columns) == tuple(shape[1:]):
        return known
    centers, far = [], []
    for at, many, wide in zip(known.centers(*shape[1:]), (rows, columns), known.patch, strict=True):
        pooled = F.adaptive_avg_pool1d(torch.from_numpy(np.asarray(at, np.float64))[None], many)[0].numpy()
        step = float(at[1] - at[0]) if len(at) > 1 else 0.0
        centers.append(pooled)
        far.append(wide + step * (len(at) / many - 1))
    return Placement.at(centers[0], centers[1], (far[0], far[1]))


@dataclass(frozen=True, eq=False)
class Judged:
    """A module that was trained on some images and judged on the others: `right` (held out,), whether each is."""

    module: nn.Module
    right: Bool[np.ndarray, " n"]
    course: Trained | None = None

    @property
    def accuracy(self) -> tuple[float, float]:
        """(share of the held-out images, its standard error)."""
        return share_of(self.right)

    def cost(self, plain: Judged) -> tuple[float, float]:
        """(accuracy that it has less than the plain twin, standard error), on the same images."""
        less = plain.right.astype(float) - self.right.astype(float)
        return float(less.mean()), float(error_of_mean(less)) if len(less) > 1 else 0.0


def fitted(module: nn.Module, some: Cells, recipe: Recipe, penalty: Callable[[Passed], Tensor] | None = None) -> Judged:
    """The module trained, in place, on the images for that, and judged on the others."""
    course = train(module, some.of(some.train), recipe, test=some.of(some.test), penalty=penalty)
    return judged(module, some, course)


def judged(module: nn.Module, some: Cells, course: Trained | None = None) -> Judged:
    """A module as it is, judged on the images held out."""
    return Judged(module, answers(module, some, some.test).numpy() == some.labels[some.test].numpy(), course)


def answers(module: nn.Module, some: Cells, rows: Tensor, batch: int = 256) -> Tensor:
    """(rows,) the classes that a module in evaluation mode answers."""
    module.eval()
    with torch.no_grad():
        parts = [called(module, some.maps[rows[i : i + batch]]).argmax(1) for i in range(0, len(rows), batch)]
    return torch.cat(parts)


def plain_head(some: Cells, hidden: int = 64) -> nn.Module:
    """The plain twin of heads on means over places: one hidden layer of rectifiers."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(some.channels, hidden), nn.ReLU(),
        nn.Linear(hidden, len(some.classes)),
    )  # fmt: skip


def seen(net: Net, data: NewTask, number: int) -> UInt8[np.ndarray, "h w 3"]:
    """An image of the data as the network sees it, in 8-bit colors."""
    return net.prepare(data.on(net).image(number)).shown(0, seen=True)


def framed(
    picture: UInt8[np.ndarray, "h w 3"], box: tuple[int, int, int, int], color: tuple[int, int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy with a frame inside the edges of a box (top, left, bottom, right)."""
    found, (top, left, bottom, right) = picture.copy(), box
    wide = max(round(max(picture.shape[:2]) / 80), 1)
    inner = found[top + wide : max(bottom - wide, top + wide), left + wide : max(right - wide, left + wide)].copy()
    found[top:bottom, left:right] = color
    found[top + wide : top + wide + inner.shape[0], left + wide : left + wide + inner.shape[1]] = inner
    return found
