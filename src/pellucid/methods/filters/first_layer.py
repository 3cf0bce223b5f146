"""The filters of the first convolution, as pictures of what they look for."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.methods.filters._kinds import kinds
from pellucid.methods.filters.weights import acts_on, first
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Filters, Meta


@method(
    "First-layer filters",
    purpose="filters of the first convolution, as pictures",
    shows=(
        "A filter answers most to a patch of the image that looks like it; mid-gray is a weight of zero. Smooth edges, "
        "stripes and color contrasts are signs of training, noise of too little of it. A pale filter need not be weak, "
        "as a batch norm behind it may enlarge what it gives, and filters of few pixels show little of what was "
        "learned. Only weights are read: one forward pass of a blank image finds the layer."
    ),
    source="Krizhevsky, Sutskever & Hinton 2012, figure 3",
)
def first_layer(
    net: Net,
    *,
    order: Annotated[
        Literal["kind", "unit", "norm"],
        Field(
            description="order of the filters: by what they respond to (light and dark, then colors), by number, or by "
            "norm, strongest first"
        ),
    ] = "kind",
) -> Filters:
    """Every filter of the first convolution: (F, channels, height, width), the weights as they are.

    The first convolution is found by running the network, not by its name. Its filters act on the picture itself
    and can be looked at as pictures: mid-gray is a weight of zero, and a filter answers most to what it looks
    like. A trained network shows edges of all directions, stripes and color contrasts; noise speaks of an
    ill-trained one, see `health`.

    Sorted by kind come filters that look for light and dark, by the direction of their edges (in degrees,
    counterclockwise from the horizontal), then patches without a direction, then color contrasts by their axis, at
    last those that are near zero. A network that takes another number of channels than three, or whose filters
    read only some of them, is shown channel by channel. Weights are with respect to the normalized input; batch
    norms behind the layer are not folded in. Refused for networks without a 2-d convolution as a module.
    """
    found = first(net)
    colors = found.channels == found.values.shape[1] == 3 and net.preprocess.channels in (3, None)
    seen = kinds(found.values, colors=colors)
    sort = {
        "unit": lambda unit: unit,
        "norm": lambda unit: (-np.nan_to_num(found.norms[unit], nan=np.inf), unit),
        "kind": lambda unit: (*seen[unit].place, unit),
    }[order]
    units = sorted(range(len(found.values)), key=sort)
    notes = [Note("reading", acts_on(net))]
    if not colors:
        notes.append(Note("reading", f"{found.reads}: shown channel by channel"))
    return Filters(
        found.values[units],
        tuple(units),
        tuple(found.inputs[unit] for unit in units),
        colors=colors,
        names=tuple(seen[unit].name for unit in units),
        meta=Meta(found={"layer": found.name}, notes=tuple(notes)),
    )
