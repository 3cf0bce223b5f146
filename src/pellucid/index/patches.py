"""From what an index holds of a unit to patches of images."""

from __future__ import annotations

import numpy as np

from pellucid.geometry import Placement
from pellucid.index.folds.extremes import TopImages
from pellucid.index.index import Index
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, Patches
from pellucid.result.patches import Box

_GATED = Note(
    "reading", "patches show what a cell looks at; through a gate every other pixel of the image reaches it too"
)


def patches(index: Index, unit: Unit, top: TopImages) -> Patches:
    """The patches of these images at these places; one that cannot be read any more costs its own patch."""
    layer = index[unit.layer]
    pictures, views, boxes = [], [], []
    kept: list[int] = []
    for rank, (image, place) in enumerate(zip(top.images.tolist(), top.places.tolist(), strict=True)):
        picture = index.readable(image)
        if picture is None:
            continue
        seen = index.preprocess.prepare(picture)
        kept.append(rank)
        pictures.append(seen.shown(0, seen=True))
        views.append(seen.views[0])
        boxes.append(field(layer.placement, layer.places, place, seen.views[0].size))
    values = np.asarray(top.values, np.float32)[kept]
    names, labels = index.names(top.images[kept]), index.class_names(top.images[kept])
    gated = (_GATED,) if layer.placement is not None and layer.placement.gated else ()
    meta = Meta(found={"images": names}, notes=gated)
    return Patches(tuple(pictures), tuple(boxes), values, names, labels, tuple(views), meta)


def exciting(index: Index, unit: Unit, count: int) -> TopImages:
    """The strongest images of a unit, without those that do not excite it: a rectified unit is at zero there."""
    layer = index[unit.layer]
    top = layer.top(unit.channel, count)
    if layer.signed:
        return top
    there = top.values > 0
    return TopImages(top.values[there], top.images[there], top.places[there])


def field(placement: Placement | None, places: tuple[int, int], place: int, size: tuple[int, int]) -> Box:
    """What a cell looks at in the network's input, as edges; all of it where the layer has no places.

    It is the receptive field, but for what every cell sees of the whole image through a gate.
    """
    if placement is None or places == (1, 1):
        return 0.0, 0.0, float(size[0]), float(size[1])
    rows, columns = placement.centers(*places)
    y, x = rows[place // places[1]] + 0.5, columns[place % places[1]] + 0.5
    high, wide = (min(one, 2 * whole) for one, whole in zip(placement.patch, size, strict=True))
    return float(y - high / 2), float(x - wide / 2), float(y + high / 2), float(x + wide / 2)
