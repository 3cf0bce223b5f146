"""Receptive fields: the pixels that a layer's cells can see, and those that they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.images import Images, read, samples
from pellucid.images.perturb import PictureOption
from pellucid.net import Layer, LayerName, Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, ReceptiveFields
from pellucid.rng import Seed, generator

_USUAL, _NOISE = 5, 8  # layers shown, images of noise where there are no photos


@method(
    "Receptive fields",
    purpose="receptive field of each layer, traced and measured",
    shows=(
        "The box holds every pixel that can change the middle cell of a layer; the map says how much each of them does "
        "on these images, which is often little outside a spot in the middle. It sums over channels, so a single unit "
        "may look at another part, and cells near the edge of the image see less of it. One forward pass up to the "
        "layer and one backward pass over the sample photos, for each of up to five layers."
    ),
    source="Luo, Li, Urtasun & Zemel 2016, section 3; Araujo, Norris & Sim 2019, section 2",
)
def receptive_field(
    net: Net,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(description="layers to measure", examples=["blocks.2,blocks.4"]),
        Default("the last layer of each map size"),
    ] = None,
    pictures: Annotated[
        PictureOption | None,
        Field(description="images on which the effective field is measured"),
        Default("the sample photos, or noise for other channels"),
    ] = None,
    seed: Seed = 0,
) -> ReceptiveFields:
    """The receptive field of each layer's middle cell, theoretical and effective: (N, H, W) maps, one for each layer.

    The theoretical field is every pixel that can change the cell, by the arithmetic of the graph. The effective one
    is how much they do: the gradient of the cell, summed over its channels, with respect to the pixels; its
    magnitude, summed over colors and averaged over the images, in shares that sum to 1. It is usually much
    smaller, and shaped like a Gaussian: two standard deviations to every side are outlined. Both are as large as
    the image at most, where the theoretical one reaches outside.

    Raises Refused for a layer whose cells have no places, and BadNetwork where no image moves a cell.
    """
    seen = _seen(net, pictures, seed)
    size = (seen.shape[-2], seen.shape[-1])
    table = net.layers(size)
    rows = [table[name] for name in layers] if layers else _usual(table.rows)
    if not rows:
        raise Refused(f"{net.name} has no layer with places: it has no receptive fields")
    maps, boxes, strides = [], [], []
    for row in steps(rows, "layers"):
        if row.placement is None:
            raise Refused(f"layer {row.name!r} has no receptive field: its output is no map of places")
        high, wide = row.shape[1:]
        cell = high // 2, wide // 2
        maps.append(_moved(net, seen, row.name, cell))
        exact = row.placement.centers(high, wide)
        y, x = exact[0][cell[0]] + 0.5, exact[1][cell[1]] + 0.5
        down, across = row.placement.field
        boxes.append((float(y - down / 2), float(x - across / 2), float(y + down / 2), float(x + across / 2)))
        strides.append(row.placement.jump)
    values = np.stack(maps)
    centers, spreads = zip(*(_moments(one) for one in values), strict=True)
    names = tuple(row.name for row in rows)
    said = (f"effective field: mean over {len(seen)} images of the gradient's magnitude", *_gates(rows))
    meta = Meta(notes=Note.many("reading", said))
    return ReceptiveFields(values, names, tuple(boxes), tuple(strides), centers, spreads, meta)


def _gates(rows: Sequence[Layer]) -> list[str]:
    """What is said of layers whose field is the whole image, because every pixel passes a gate."""
    told = [(row.name, row.placement.patch) for row in rows if row.placement is not None and row.placement.gated]
    what = "through a gate every pixel of the image reaches the cells of {}; without it they look at {:g} × {:g}"
    return [what.format(name, *patch) for name, patch in told]


def _seen(net: Net, pictures: Images | None, seed: int) -> torch.Tensor:
    """(N, C, H, W): what the network is shown."""
    if pictures is not None:
        return net.prepare(pictures).pixels
    channels, size = net.preprocess.channels or 3, net.preprocess.size
    if channels == 3 and size is not None:
        return net.prepare(read([f"sample:{name}" for name in samples()])).pixels
    noise = generator(seed, "receptive field").random((_NOISE, channels, *net.size))
    return torch.from_numpy(noise).float()


def _usual(rows: tuple[Layer, ...]) -> list[Layer]:
    """The last layer of each size of map, the coarsest five."""
    last = {row.shape[1:]: row for row in rows if row.spatial and row.placement is not None}
    return list(last.values())[-_USUAL:]


def _moved(net: Net, seen: torch.Tensor, layer: str, cell: tuple[int, int]) -> np.ndarray:
    """(H, W): the mean magnitude of the cell's gradient, as shares."""
    total = np.zeros(seen.shape[-2:])
    for some in seen.split(net.chunk((seen.shape[-2], seen.shape[-1]), grad=True)):
        run = net.run(some, layers=[layer], grad="pixels", stop=True)
        if run.pixels is None:
            raise PellucidError(f"layer {layer!r} does not depend on the pixels")
        with torch.enable_grad():
            score = run.at[layer][:, :, cell[0], cell[1]].sum()
        (slope,) = run.gradients(score, run.pixels)
        total += slope.double().abs().sum((0, 1)).cpu().numpy()
    whole = float(total.sum())
    if not np.isfinite(whole) or whole <= 0:
        raise BadNetwork(f"the middle of layer {layer!r} has no finite gradient on these images: nothing moves it")
    return np.asarray(total / whole)


def _moments(shares: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Mean and standard deviation of the places, (vertical, horizontal)."""
    found = []
    for axis in (0, 1):
        weight, at = shares.sum(1 - axis), np.arange(shares.shape[axis])
        mean = float(weight @ at)
        found.append((mean, float(np.sqrt(max(weight @ (at - mean) ** 2, 0)))))
    return (found[0][0], found[1][0]), (found[0][1], found[1][1])
