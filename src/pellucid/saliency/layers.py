"""The layer whose maps are shown, where its cells lie, and its maps at the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from torch import Tensor

from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.geometry import Placement, between
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.net.effective import bundled_placement, effective
from pellucid.notes import Note

LayerNames = Annotated[
    LayerName | tuple[LayerName, ...] | None,
    Field(description="layer of the maps; several layers, as a,b, give one map", examples=["blocks.4"]),
    Default("the last layer with spatial maps"),
]
Placing = Literal["auto", "field", "effective", "stretch"]
PlacingOption = Annotated[
    Placing,
    Field(
        description="position of a layer's cells in the image: at the centers of their receptive fields (field), at "
        "the measured centers of their effective fields (effective, 16 to 64 backward passes once for "
        "each layer), stretched over the image as most tools do (stretch); auto is effective for the "
        "bundled network, else field"
    ),
]


@dataclass(frozen=True)
class Chosen:
    """A layer whose maps are weighted, where its cells lie, and why this one."""

    name: str
    placement: Placement
    note: tuple[Note, ...]


def chosen_layer(
    net: Net, prepared: Images, before: tuple[str, ...], layer: str | None, placement: Placing, *, of_this: bool = False
) -> Chosen:
    """The named layer, or the last with places ahead of those in `before`; Refused where it cannot serve.

    With `of_this` it is chosen from the layers that run for these images, not for a blank one.
    """
    height, width = prepared.pixels.shape[-2:]
    table = net.layers((height, width)) if not of_this else net.layers(of=prepared.pixels)
    row = net.layer(layer, of=prepared.pixels) if layer is not None else table.last_map(before=before)
    if row is None:
        net.run(prepared.pixels[:1]).output.shape  # noqa: B018  # what is wrong with the output is said first
        if before:
            raise Refused(
                f"no layer with places comes before {', '.join(before)}, which the target reads: name layer= or ask a "
                "method of the pixels, such as gradient"
            )
        raise Refused(f"no layer of {net.name} has a map with more than one cell for an input of {height} × {width}")
    if not row.mapped:
        raise Refused(table.no_maps(row))
    last = f"layer {row.name}: the last one with spatial maps, chosen automatically"
    note = () if layer is not None else (Note("choice", last),)
    if placement == "effective":
        found = effective(net, row.name, (height, width))
        return Chosen(row.name, found.placement, (*note, Note("reading", f"layer {row.name} is placed {found.told}")))
    if placement == "auto" and row.placement is not None:
        shipped = bundled_placement(net, row, (height, width))
        measured = Note("reading", f"layer {row.name} is placed where its cells were measured to look")
        note = (*note, measured) if shipped else note
        return Chosen(row.name, shipped or row.placement, note)
    if placement == "field" and row.placement is not None:
        return Chosen(row.name, row.placement, note)
    if placement != "stretch":
        why = f"its place could not be followed through {', '.join(table.unplaced) or 'the network'}"
        note = (*note, Note("reading", f"layer {row.name} is stretched over the image: {why}"))
    field = row.placement.field if row.placement else None
    return Chosen(row.name, Placement.stretched(row.shape[1], row.shape[2], height, width, field), note)


def at_pixels(maps: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """Maps (…, rows, columns) read at every pixel of an input of `size`: (…, height, width), linear between cells."""
    centers = placement.centers(maps.shape[-2], maps.shape[-1])
    rows, columns = (
        maps.new_tensor(between(at, np.arange(n, dtype=np.float64))) for at, n in zip(centers, size, strict=True)
    )
    return rows @ maps @ columns.T
