"""What cells of a layer detect: their strongest units, with a picture of each, and patches of real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image

from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.index.index import Index
from pellucid.index.patches import exciting, patches
from pellucid.index.unit import Unit
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.render.directions import SIDE, pictures_of
from pellucid.result import Blocks, Meta
from pellucid.result.blocks import BlockLayer
from pellucid.result.meta import Found
from pellucid.result.patches import cropped
from pellucid.saliency.between import AtLayer, at_layer
from pellucid.saliency.heatmaps import asked_of
from pellucid.saliency.layers import chosen_layer
from pellucid.target import Channel, Target, fixed

Order = Literal["attribution", "activation"]
_CELLS, _POINTS, _GRAY = 3, 16, 127


@dataclass(frozen=True)
class Entry:
    """What is in a dictionary: which cell (None: those that add most), how many units in which order, the pictures."""

    cell: tuple[int, int] | None
    order: Order
    units: int
    index: Index | None
    steps: int


def detected(net: Net, prepared: Images, target: Target, layer: str, entry: Entry, *, chosen: bool) -> Blocks:
    """The dictionary of each image: an entry of `layers` for each cell."""
    where = chosen_layer(net, prepared, target.layers, layer, "auto")
    if entry.index is not None:
        _same(net, entry.index, layer)
    found, asked = [], []
    for i in range(len(prepared)):
        pixels = prepared.pixels[i : i + 1]
        asked.append(fixed(target, net.run(pixels, layers=target.layers)) if target.reads_output else target)
        found.append(at_layer(net, pixels, asked[-1], layer, _POINTS))
    if entry.units > found[0].activation.shape[1]:
        raise PellucidError(f"units={entry.units}: layer {layer!r} has {found[0].activation.shape[1]}")
    cells = [strongest(at, _CELLS) if entry.cell is None else [_checked(at, entry.cell, layer)] for at in found]
    first = [_first(at, one, entry) for at, some in zip(found, cells, strict=True) for one in some]
    shown = [*dict.fromkeys(one for some in first for one in some)]
    made = real = None
    if entry.steps:
        targets = [Channel(layer, one) for one in shown]
        made = dict(zip(shown, pictures_of(net, targets, entry.steps, what=f"pictures of {layer}"), strict=True))
    if entry.index is not None:
        real = {one: _patch(entry.index, layer, one) for one in shown}
    rows = [
        _row(found, [some[k] for some in cells], entry, layer, where.placement, made, real)
        for k in range(len(cells[0]))
    ]
    facts: dict[str, Found] = {"score": tuple(at.score for at in found), "layer": layer, "order": entry.order}
    notes = (*prepared.notes, *([Note("choice", f"layer {layer}")] if chosen else []), *where.note)
    photos = np.stack([prepared.shown(i, seen=True) for i in range(len(prepared))])
    meta = Meta(found={**asked_of(net, target, asked), **facts}, notes=notes)
    return Blocks(tuple(rows), photos, target.unit_of(net), (), meta)


def strongest(at: AtLayer, count: int) -> list[int]:
    """The cells with the largest sums of attribution, none of them a neighbor of another while there are such."""
    columns, kept = at.places[1], list[int]()
    order = np.argsort(-(at.activation * at.gradient).sum(1), kind="stable").tolist()
    for one in order:
        y, x = divmod(one, columns)
        if all(max(abs(y - other // columns), abs(x - other % columns)) > 1 for other in kept):
            kept.append(one)
    return [*kept, *(one for one in order if one not in kept)][:count]


def _checked(at: AtLayer, cell: tuple[int, int], layer: str) -> int:
    (y, x), (rows, columns) = cell, at.places
    if not (0 <= y < rows and 0 <= x < columns):
        last = f"{rows - 1},{columns - 1}"
        raise PellucidError(f"cell={y},{x}: layer {layer!r} has {rows} × {columns} cells, 0,0 to {last}")
    return y * columns + x


def _first(at: AtLayer, cell: int, entry: Entry) -> list[int]:
    values = at.activation[cell] * (at.gradient[cell] if entry.order == "attribution" else 1)
    first: list[int] = np.argsort(-values, kind="stable")[: entry.units].tolist()
    return first


Pictures = Mapping[int, NDArray[np.uint8]]
"""By the number of the unit."""


def _row(
    found: Sequence[AtLayer], cells: Sequence[int], entry: Entry, layer: str, placement: Placement,
    made: Pictures | None, real: Pictures | None,
) -> BlockLayer:  # fmt: skip
    """One cell of each image."""
    both = [*zip(found, cells, strict=True)]
    which = [_first(at, cell, entry) for at, cell in both]
    whole = [(at.activation * at.gradient)[cell] for at, cell in both]
    there = [at.activation[cell] for at, cell in both]
    maps = [at.activation[:, some].T.reshape(-1, *at.places) for at, some in zip(found, which, strict=True)]
    shares = np.stack([one[some] for one, some in zip(whole, which, strict=True)])
    return BlockLayer(
        layer=layer,
        values=np.stack(maps),
        shares=shares,
        residual=np.array([float(one.sum()) for one in whole]) - shares.sum(1),
        units=np.array(which)[..., None],
        error=np.array([_left(one, some) for one, some in zip(there, which, strict=True)]),
        placement=placement,
        names=tuple(f"unit {k + 1}" for k in range(entry.units)),
        pictures=None if made is None else np.stack([np.stack([made[one] for one in some]) for some in which]),
        patches=None if real is None else np.stack([np.stack([real[one] for one in some]) for some in which]),
        cells=np.array([divmod(cell, found[0].places[1]) for cell in cells]),
        activations=np.stack([one[some] for one, some in zip(there, which, strict=True)]),
    )


def _left(values: Float[np.ndarray, " c"], which: Sequence[int]) -> float:
    """The share of the cell's norm that the shown units leave over."""
    size = float(np.linalg.norm(values))
    return float(np.linalg.norm(np.delete(values, which))) / size if size else 0.0


def _same(net: Net, index: Index, layer: str) -> None:
    """Refuse an index of other weights, or one that does not have the layer."""
    index[layer]
    if index.facts()["weights"] != net.weights:
        raise PellucidError(f"index={index.title!r} is of a network with other weights: make one of {net.name}")


def _patch(index: Index, layer: str, unit: int) -> UInt8[np.ndarray, "h w 3"]:
    """Where a unit is strongest in the images of the index: its field, but no more than half of an image around it.

    Gray where nothing excites it, or the image cannot be read any more.
    """
    whole = Unit(layer, unit)
    found = patches(index, whole, exciting(index, whole, 1))
    if not len(found):
        return np.full((SIDE, SIDE, 3), _GRAY, np.uint8)
    (high, wide), (top, left, bottom, right) = found.pictures[0].shape[:2], found.boxes[0]
    side = min(bottom - top, right - left, min(high, wide) / 2)
    y, x = (min(max((a + b - side) / 2, 0), n - side) for a, b, n in ((top, bottom, high), (left, right, wide)))
    patch = cropped(found.pictures[0], (y, x, y + side, x + side))
    return np.asarray(Image.fromarray(patch).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
