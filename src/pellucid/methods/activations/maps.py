"""Activation maps: where in an image each unit of a layer finds what it looks for."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.images import Images
from pellucid.methods.activations._layer import activations, known_units, map_layer, numbers
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.result import ActivationMaps, Meta

_NAMED = 5  # strongest units in the notes


@method(
    "Activation maps",
    purpose="activation maps of a layer's units, for each image",
    shows=(
        "A large value, of either sign, is a place where the unit responds strongly; a place marked as blank is "
        "exactly zero. Strong does not mean important: no class is asked about, units differ in scale, and those shown "
        "have the largest values, not the most influence on the answer. Cells are as coarse as the layer, and each "
        "sees more of the image than its own place. One forward pass for each image, which ends at the layer."
    ),
    source="Yosinski et al. 2015, section 2",
)
def maps(
    net: Net,
    images: Images,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer of the maps", examples=["blocks.4"]),
        Default("the last layer with spatial maps"),
    ] = None,
    units: Annotated[
        int | tuple[int, ...] | None,
        Field(description="units to show, by number: 3 or 3,17,40", examples=["3,17,40"]),
        Default("the strongest"),
    ] = None,
    max_units: Annotated[int, Field(ge=1, description="maximum number of units, where none are named")] = 16,
) -> ActivationMaps:
    """What units of one layer do with each image, place by place: (N, units, rows, columns), raw and signed.

    Any layer with places can be asked. By default its strongest units are shown: those with the largest value
    (by magnitude) at any place of any of the images, the larger mean first where several reach the bound of
    their activation; they are the same units for all images. Drawn over the photos, the maps lie where their
    cells' receptive fields have their centers. Places where a unit gives exactly zero are marked as blank, which
    is something else than weak; `blank` is the share of all the layer's maps that are zero everywhere, for each
    image.

    The network runs no further than the layer. Raises UnknownName for a layer that is not there, PellucidError
    for a unit, and Refused for a layer without maps.
    """
    seen = net.prepare(images)
    row, placement, notes = map_layer(net, seen, layer)
    pixels, parts, peaks, means = seen.pixels, [], [], []
    chosen = known_units(units, row) if units is not None else None
    for part in activations(net, pixels, row.name):
        size = part.abs()
        peaks.append(size.amax((2, 3)))
        means.append(size.mean((2, 3)))
        if chosen is not None:
            parts.append(part[:, list(chosen)])
        elif len(part) == len(pixels):
            parts.append(part)
    peak = torch.cat(peaks)
    strong = _strongest(peak, torch.cat(means))
    if chosen is None:
        chosen = tuple(strong[:max_units])
        whole = parts or activations(net, pixels, row.name)  # more than is held at once: a second time
        parts = [part[:, list(chosen)] for part in whole]
        notes = (*notes, Note("choice", f"the {len(chosen)} strongest of {row.shape[0]} units, strongest first"))
    values = torch.cat(parts)
    return ActivationMaps(
        numbers(values),
        chosen,
        placement,
        seen.views,
        tuple((peak == 0).double().mean(1).tolist()),
        row.shape[0],
        meta=Meta(found={"layer": row.name}, notes=(*notes, *_told(peak, strong, values, seen))),
    )


def _strongest(peak: Tensor, mean: Tensor) -> list[int]:
    """Units by their largest magnitude over all images, both (N, units); where many are at the bound of their
    activation, by their mean. Those that are no number come last.
    """
    first, second = (np.nan_to_num(one.amax(0).double().cpu().numpy(), nan=-1, posinf=np.inf) for one in (peak, mean))
    strong: list[int] = np.lexsort((-second, -first)).tolist()
    return strong


def _told(peaks: Tensor, strong: list[int], values: Tensor, seen: Images) -> tuple[Note, ...]:
    """The strongest units by name, and what a picture would hide."""
    over = peaks.amax(0)
    named = ", ".join(f"{unit} ({float(over[unit]):.3g})" for unit in strong[:_NAMED])
    over_all = f" over {len(seen)} images" if len(seen) > 1 else ""
    told = [Note("values", f"strongest units{over_all}: {named}")]
    broken = int((~torch.isfinite(values)).sum())
    if broken:
        told.append(Note("values", f"{broken} of the shown values are not finite"))
    return tuple(told)
