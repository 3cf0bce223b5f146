"""Indexes of many units at once: what their strongest images do to them without color, from one pass over these.

Gray by brightness is a matter of each pixel alone. What lies outside a receptive field changes nothing, so a whole
gray image does to each unit what a gray receptive field would, and one pass answers for every unit of every layer
that has the image among its strongest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError, unknown
from pellucid.index.crops import seen
from pellucid.index.index import Index
from pellucid.index.perturb import LUMA
from pellucid.progress import steps

INDEXES = ("color_selectivity", "class_selectivity")
"""What `measured` knows."""
COUNT = 20
"""Images that an index of all units is taken over, unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Picked:
    """Units of one layer, and the strongest images of each: (units, n), image −1 where there are no more."""

    layer: str
    channels: NDArray[np.int64]
    values: NDArray[np.float64]
    images: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, index: Index, layer: str, count: int, channels: NDArray[np.int64] | None = None) -> Picked:
        """These units, by default all of the layer; images that do not excite them are left out."""
        asked = index[layer]
        chosen = np.arange(asked.channels) if channels is None else channels
        top = asked.strongest(count)
        values, images, places = (one[chosen] for one in (top.values, top.images, top.places))
        there = (images >= 0) & (values > 0)
        return cls(
            asked.name,
            chosen,
            np.where(there, values, 0).astype(np.float64),
            np.where(there, images, -1).astype(np.int64),
            places.astype(np.int64),
        )

    def drop(self, image: int) -> None:
        """An image cannot be read any more: the sums are those of the others."""
        gone = self.images == image
        self.values[gone], self.images[gone] = 0.0, -1


Hit = tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""(which of the picked layers, its units, their ranks, their activations on the gray image)."""


def grayed(index: Index, picked: Sequence[Picked]) -> Iterator[tuple[Tensor, list[Hit]]]:
    """Every image that is among the strongest of a unit, as seen, with what these units say to it in gray."""
    everywhere = np.unique(np.concatenate([one.images[one.images >= 0] for one in picked] or [np.zeros(0, np.int64)]))
    orders = [np.argsort(one.images, axis=None, kind="stable") for one in picked]
    sorted_images = [one.images.ravel()[order] for one, order in zip(picked, orders, strict=True)]
    names, net = [one.layer for one in picked], index.net
    waiting: list[tuple[int, Tensor]] = []
    for image in steps(everywhere.tolist(), "images"):
        shown = seen(index, image)
        if shown is not None:
            waiting.append((image, shown))
        for one in picked if shown is None else ():
            one.drop(image)
        if not waiting:
            continue
        same = len({pixels.shape for _, pixels in waiting}) == 1
        size = (waiting[0][1].shape[-2], waiting[0][1].shape[-1])
        if same and len(waiting) < net.chunk(size, grad=False) and image != everywhere[-1]:
            continue
        groups = [waiting] if same else [waiting[:-1], waiting[-1:]]
        for group in groups:
            pixels = torch.stack([one for _, one in group])
            run = net.run(_gray(pixels), layers=names, stop=True)
            for k, (number, whole) in enumerate(group):
                hits: list[Hit] = []
                for which, one in enumerate(picked):
                    start, stop = np.searchsorted(sorted_images[which], (number, number + 1))
                    units, ranks = np.divmod(orders[which][start:stop], one.images.shape[1])
                    if len(units):
                        maps = run.at[one.layer][k].detach()
                        answers = maps.reshape(len(maps), -1)[one.channels[units], one.places[units, ranks]]
                        hits.append((which, units, ranks, answers.double().cpu().numpy()))
                yield whole, hits
        waiting = []


def _gray(pixels: Tensor) -> Tensor:
    if pixels.shape[1] != 3:
        raise PellucidError(f"the network sees {pixels.shape[1]} channels: color needs three")
    return torch.einsum("nchw,c->nhw", pixels, pixels.new_tensor(LUMA))[:, None].expand_as(pixels).contiguous()


def measured(
    index: Index, layers: Sequence[str], which: Sequence[str] = INDEXES, *, count: int = COUNT
) -> dict[str, NDArray[np.float64]]:
    """(units of these layers,) for each index asked for; NaN where it cannot be known.

    color_selectivity is 1 − Σ a' / Σ a over the `count` strongest images, a' with the image in gray (brightness);
    NaN for units that nothing excites. It runs the network once over every image that is among the strongest of
    any of the units: all layers in one call cost little more than one. class_selectivity is that of the class means
    over the whole data set and runs nothing.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for name in which:
        if name not in INDEXES:
            raise unknown("index of units", name, INDEXES)
    if "class_selectivity" in which:
        found["class_selectivity"] = np.concatenate([index[one].class_selectivity for one in layers])
    if "color_selectivity" in which:
        picked = [Picked.of(index, layer, min(count, index.n_kept)) for layer in layers]
        gray = [np.zeros(len(one.channels)) for one in picked]
        for _, hits in grayed(index, picked):
            for layer, units, _, answers in hits:
                np.add.at(gray[layer], units, answers)
        sums = [one.values.sum(1) for one in picked]
        found["color_selectivity"] = np.concatenate([
            np.where(whole > 0, 1 - part / np.where(whole > 0, whole, 1), np.nan)
            for part, whole in zip(gray, sums, strict=True)
        ])  # fmt: skip
    return found
