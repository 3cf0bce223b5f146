"""Network dissection: the counts of pixels where units and concepts meet, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.images.concepts import Concepts
from pellucid.index.active import Judged, above, placed
from pellucid.index.index import Index
from pellucid.index.received import received
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Meta, Overlap, Patches

_AT_ONCE = 128
"""Units whose maps are as large as the image at the same time."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Pixels over all images: of units and concepts together, of units in the images that have any concept of
    a category, and of concepts; whole numbers, whatever the order.
    """

    both: NDArray[np.int64]
    """(units, concepts)"""
    units: NDArray[np.int64]
    """(units, categories)"""
    concepts: NDArray[np.int64]

    @classmethod
    def none(cls, units: int, concepts: int, categories: int) -> Counts:
        return cls(
            np.zeros((units, concepts), np.int64), np.zeros((units, categories), np.int64), np.zeros(concepts, np.int64)
        )

    def overlap(self, category: NDArray[np.int64]) -> NDArray[np.float64]:
        """(units, concepts) intersection over union; 0 where there is neither."""
        union = self.units[:, category] + self.concepts - self.both
        return np.where(union > 0, self.both / np.maximum(union, 1), 0.0)


@dataclass(frozen=True, eq=False)
class Seen:
    """What one pass over the concepts' images gave."""

    counts: Counts
    chance: Counts
    """The same with the masks of other images."""
    images: NDArray[np.int64]
    """(units, few): the images with the largest activations, best first; -1 where there is none."""
    values: NDArray[np.float32]


def passed(index: Index, concepts: Concepts, judged: Judged, numbers: Sequence[int], category: NDArray[np.int64],
           few: int) -> Seen:  # fmt: skip
    """One pass: an image at a time, so that memory depends neither on their number nor on the concepts'."""
    net, total, kinds = index.net, len(judged.thresholds), int(category.max()) + 1
    counts, chance = (Counts.none(total, len(numbers), kinds) for _ in range(2))
    ranks, images = np.full((total, few), -np.inf, np.float32), np.full((total, few), -1, np.int64)
    values = ranks.copy()
    seen = net.prepare(concepts.read(len(concepts) - 1))
    before = _pixels(concepts.mask(len(concepts) - 1, seen.views[0]), numbers)
    for i in steps(range(len(concepts)), "images"):
        seen = net.prepare(concepts.read(i))
        here = _pixels(concepts.mask(i, seen.views[0]), numbers)
        other = before if before.shape == here.shape else here[:0]  # images of other sizes cannot be compared
        made = received(index, seen, judged.layers)
        first = 0
        for layer in judged.layers:
            maps, ranked = made[layer]
            ends = torch.from_numpy(judged.thresholds[first : first + len(maps)]).float()
            peaks = maps.flatten(1).amax(1)
            live = torch.nonzero(peaks >= ends)[:, 0]  # between cells a map is never above all of them
            weights = placed(net, seen, layer, (maps.shape[1], maps.shape[2]))
            for part in live.split(_AT_ONCE):
                active = above(maps[part], ends[part], weights).flatten(1).float()
                _add(counts, part.numpy() + first, active, here, category)
                _add(chance, part.numpy() + first, active, other, category)
            _keep((ranks, values, images), first, ranked.flatten(1).amax(1).numpy(), peaks.numpy(), i)
            first += len(maps)
        for kept, mask in ((counts, here), (chance, other)):
            kept.concepts[:] += mask.sum(0).long().numpy()
        before = here
    return Seen(counts, chance, images, values)


def shown(net: Net, concepts: Concepts, judged: Judged, unit: int, number: int, seen: Seen) -> tuple[
    Patches, tuple[Overlap, ...]
]:  # fmt: skip
    """The images that excite a unit most, where in them it is active, and where the concept lies."""
    layer, channel = judged.name(unit)
    pictures, boxes, names, views, overlaps = [], [], [], [], []
    chosen = [int(i) for i in seen.images[unit] if i >= 0]
    for i in chosen:
        one = net.prepare(concepts.read(i))
        map_ = net.run(one, layers=[layer], stop=True)[layer][0, channel][None].detach().float().cpu()
        ends = torch.tensor([judged.thresholds[unit]]).float()
        active = above(map_, ends, placed(net, one, layer, (map_.shape[1], map_.shape[2])))[0].numpy()
        overlaps.append(Overlap(active, concepts.mask(i, one.views[0]) == number))
        pictures.append(one.shown(0, seen=True))
        boxes.append((0.0, 0.0, float(active.shape[0]), float(active.shape[1])))
        names.append(concepts.name(i))
        views.append(one.views[0])
    values = seen.values[unit][: len(chosen)].astype(np.float32)
    none: tuple[str | None, ...] = (None,) * len(chosen)
    meta = Meta(found={"images": tuple(names)})
    return Patches(tuple(pictures), tuple(boxes), values, tuple(names), none, tuple(views), meta), tuple(overlaps)


def _pixels(mask: NDArray[np.int64], numbers: Sequence[int]) -> Tensor:
    """(pixels, concepts), 0 or 1."""
    return torch.from_numpy((mask.reshape(-1, 1) == np.asarray(numbers)[None]).astype(np.float32))


def _add(counts: Counts, units: NDArray[np.int64], active: Tensor, mask: Tensor, category: NDArray[np.int64]) -> None:
    """Sums of zeros and ones are exact in float32 up to 2^24 pixels."""
    if not len(mask):
        return
    there = np.nonzero(mask.sum(0).numpy())[0]
    counts.both[np.ix_(units, there)] += (active @ mask[:, there]).long().numpy()
    kinds = np.unique(category[there])
    counts.units[np.ix_(units, kinds)] += active.sum(1).long().numpy()[:, None]


def _keep(kept: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], first: int, ranks: NDArray[np.float32],
          values: NDArray[np.float32], image: int) -> None:  # fmt: skip
    """Let an image in among the strongest of each unit; of equals the first stays before.

    Kept are (units, few): what they are ranked by, which is that before a ceiling, their activations, the images.
    """
    rows = first + np.nonzero(ranks > kept[0][first : first + len(ranks), -1])[0]
    if not len(rows):
        return
    news = ranks[rows - first], values[rows - first], np.full(len(rows), image)
    every = [np.concatenate([table[rows], one[:, None]], axis=1) for table, one in zip(kept, news, strict=True)]
    order = np.argsort(-every[0], axis=1, kind="stable")[:, : kept[0].shape[1]]
    for table, one in zip(kept, every, strict=True):
        table[rows] = np.take_along_axis(one, order, 1)
