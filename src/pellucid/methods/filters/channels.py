"""The filters of a deeper layer, each input channel by itself."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import PellucidError
from pellucid.methods.filters.weights import Convolution, convolutions, named
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.result import Filters, Meta

_WEIGHTS = 20_000  # on a page
_FILTERS = 64  # on a page


@method("Filters by input channel", source="Zeiler & Fergus 2013, section 2, equation 1")
def channels(
    net: Net,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="a convolution; by default the first behind the stem that is wider than 1 × 1"),
    ] = None,
    units: Annotated[
        int | tuple[int, ...] | None, Field(description="which filters, as 3 or 3,17,40; by default a page of them")
    ] = None,
    page: Annotated[int, Field(ge=1, description="which page of the filters")] = 1,
    scale: Annotated[Literal["common", "own"], Field(description="one scale for all filters, or one for each")] = "own",
) -> Filters:
    """The weights of a layer's filters: (F, channels, height, width), for each filter the channels that it reads.

    Behind the first layer a filter reads channels that are no colours: each is drawn as a small grey picture of
    its own, white where the filter adds what the channel has found there, black where it takes it away. What
    there is to see is which channels a filter reads at all, and whether they are smooth in space. In a grouped
    convolution each filter reads the channels of its group, in a depthwise one a single channel: shown are those,
    under their numbers in the layer's input (`inputs`). A 1 × 1 convolution has one square for each channel.

    Large layers come in pages. Raises UnknownName for a layer, unit or page that is not there, and Refused for a
    layer that is no 2-d convolution.
    """
    found = named(net, layer) if layer is not None else _deeper(net)
    count = len(found.values)
    notes = [*found.notes]
    if layer is None:
        notes.append(Note("choice", f"layer {found.name}: the first behind the stem that sees more than one place"))
    if units is not None:
        chosen = _known((units,) if isinstance(units, int) else units, found)
        if page != 1:
            raise PellucidError(f"page={page}: filters asked for by number come on one page")
    else:
        size = max(min(_WEIGHTS // found.values[0].size, _FILTERS), 1)
        pages = -(-count // size)
        if page > pages:
            raise PellucidError(f"page={page}: layer {found.name!r} has {pages} of them, for {count} filters")
        chosen = list(range((page - 1) * size, min(page * size, count)))
        if pages > 1:
            said = f"page {page} of {pages}: filters {chosen[0]} to {chosen[-1]} of {count}"
            notes.append(Note("choice", said))
    return Filters(
        np.ascontiguousarray(found.values[chosen]),
        tuple(chosen),
        tuple(found.inputs[unit] for unit in chosen),
        common=scale == "common",
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
