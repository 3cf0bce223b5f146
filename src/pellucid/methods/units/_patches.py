"""From what an index holds of a unit to patches of pictures."""

from __future__ import annotations

import numpy as np

from pellucid.geometry import Placement
from pellucid.methods.units._unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, Patches
from pellucid.result.patches import Box
from pellucid.sweep.index import Index, Top, preprocess_of

_GATED = Note(
    "reading", "patches show what a cell looks at; through a gate every other pixel of the picture reaches it too"
)


def patches(index: Index, unit: Unit, top: Top) -> Patches:
    """The patches of these pictures at these places; one that cannot be read any more costs its own patch."""
    plan, source = index.plan, index.source
    which = plan.units.layer(unit.layer)
    placement, places = plan.units.placements[which], plan.units.places[which]
    preprocess = preprocess_of(plan)
    pictures, views, boxes, names, labels = [], [], [], [], []
    kept: list[int] = []
    for rank, (image, place) in enumerate(zip(top.images.tolist(), top.places.tolist(), strict=True)):
        picture = index.readable(image)
        if picture is None:
            continue
        seen = preprocess.see(picture)
        kept.append(rank)
        pictures.append(seen.shown(0, seen=True))
        views.append(seen.views[0])
        boxes.append(field(placement, places, place, seen.views[0].size))
        names.append(source.name(image))
        label = source.label(image)
        labels.append(None if label is None else source.classes[label])
    values = np.asarray(top.values, np.float32)[kept]
    gated = (_GATED,) if placement is not None and placement.gated else ()
    meta = Meta(found={"images": tuple(names)}, notes=gated)
    return Patches(tuple(pictures), tuple(boxes), values, tuple(names), tuple(labels), tuple(views), meta)


def exciting(index: Index, unit: Unit, count: int) -> Top:
    """The strongest pictures of a unit, without those that do not excite it: a rectified unit is at zero there."""
    top = index.top(unit.layer, unit.channel, count)
    if index.plan.units.signed[index.plan.units.layer(unit.layer)]:
        return top
    there = top.values > 0
    return Top(top.values[there], top.images[there], top.places[there])


def field(placement: Placement | None, places: tuple[int, int], place: int, size: tuple[int, int]) -> Box:
    """What a cell looks at in the network's input, as edges; all of it where the layer has no places.

    It is the receptive field, but for what every cell sees of the whole picture through a gate.
    """
    if placement is None or places == (1, 1):
        return 0.0, 0.0, float(size[0]), float(size[1])
    rows, columns = placement.centres(*places)
    y, x = rows[place // places[1]] + 0.5, columns[place % places[1]] + 0.5
    high, wide = (min(one, 2 * whole) for one, whole in zip(placement.patch, size, strict=True))
    return float(y - high / 2), float(x - wide / 2), float(y + high / 2), float(x + wide / 2)
