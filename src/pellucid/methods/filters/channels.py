"""The filters of a deeper layer, each input channel by itself."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.methods.filters.weights import Convolution, convolutions, named
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.result import Filters, Meta


@method(
    "Filters by input channel",
    purpose="weights of a layer's filters, by input channel",
    shows=(
        "White adds what the input channel holds there, black takes it away, and mid-gray is a weight of zero. The "
        "channels are features and not colors, so a filter does not look like what it responds to; each is drawn on a "
        "scale of its own, and a large weight on a channel that is seldom active does little. Only weights are read: "
        "one forward pass of a blank image finds the layers."
    ),
    source="Zeiler & Fergus 2013, section 2, equation 1",
)
def channels(
    net: Net,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="convolution whose filters are shown"),
        Default("the first after the stem that is wider than 1 × 1"),
    ] = None,
    units: Annotated[
        int | tuple[int, ...] | None,
        Field(description="filters to show, by number: 3 or 3,17,40", examples=["3,17,40"]),
        Default("all"),
    ] = None,
) -> Filters:
    """The weights of a layer's filters: (F, channels, height, width), for each filter the channels that it reads.

    Behind the first layer a filter reads channels that are no colors: each is drawn as a small gray picture of
    its own, white where the filter adds what the channel has found there, black where it takes it away. What
    there is to see is which channels a filter reads at all, and whether they are smooth in space. In a grouped
    convolution each filter reads the channels of its group, in a depthwise one a single channel: shown are those,
    under their numbers in the layer's input (`inputs`). A 1 × 1 convolution has one square for each channel.

    Pictures of large layers come in pages (`draw(..., page=2)`). Raises UnknownName for a layer that is not there,
    PellucidError for such a unit, and Refused for a layer that is no 2-d convolution.
    """
    found = named(net, layer) if layer is not None else _deeper(net)
    count = len(found.values)
    notes = [*found.notes]
    if layer is None:
        notes.append(Note("choice", f"layer {found.name}: the first behind the stem that sees more than one place"))
    chosen = _known((units,) if isinstance(units, int) else units, found) if units is not None else [*range(count)]
    return Filters(
        np.ascontiguousarray(found.values[chosen]),
        tuple(chosen),
        tuple(found.inputs[unit] for unit in chosen),
        meta=Meta(found={"layer": found.name}, notes=tuple(notes)),
    )


def _deeper(net: Net) -> Convolution:
    """The first convolution behind the stem that sees more than one place; else whichever comes last."""
    found = convolutions(net)
    return next((one for one in found[1:] if max(one.values.shape[2:]) > 1), found[-1])


def _known(units: tuple[int, ...], found: Convolution) -> list[int]:
    for unit in units:
        if not 0 <= unit < len(found.values):
            raise PellucidError(f"no filter {unit} in layer {found.name!r}: it has 0 to {len(found.values) - 1}")
    if not units:
        raise PellucidError(f"units={units}: no filter of layer {found.name!r} is named")
    return list(dict.fromkeys(units))
