"""Color: how the layers of a network code it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.index import Index
from pellucid.index.hues import cone_axes, hues
from pellucid.notes import Note
from pellucid.result import ColorSelectivity, Meta
from pellucid.rng import Seed, generator

_USUAL = 8  # layers


@method(
    "Color coding",
    purpose="measure how color-selective the units of each layer are",
    shows=(
        "A selective unit loses most of its activation on gray versions of its strongest images; its hue is that of "
        "their mean patch. Do not read the hue of a unit that is hardly selective, nor hues of deep layers, where the "
        "mean of any patches comes close to that of all photos. One forward pass over each image that is among the 50 "
        "strongest of a measured unit, with up to 64 units in each of up to eight layers."
    ),
    source="Rafegas & Vanrell 2018, section 3; Derrington, Krauskopf & Lennie 1984",
    over="all",
)
def color(
    index: Index,
    *,
    layers: Annotated[
        tuple[str, ...] | None,
        Field(description="layers whose units are measured", examples=["blocks.2,blocks.4"]),
        Default("eight, spread over the network's depth"),
    ] = None,
    count: Annotated[int, Field(ge=1, description="number of strongest images measured for each unit")] = 50,
    max_units: Annotated[
        int, Field(ge=1, description="maximum number of units measured in a layer, drawn at random")
    ] = 64,
    threshold: Annotated[
        float | int, Field(ge=0, le=1, description="selectivity above which a unit counts as color-selective")
    ] = 0.25,
    seed: Seed = 0,
) -> ColorSelectivity:
    """How choosy the units of each layer are about color, and which hues they want: (N, 4) numbers for N units.

    Selectivity is 1 − Σ a' / Σ a, with a the activations on the unit's strongest images and a' those at the same
    places of the same images in gray (brightness). Hue, chroma and opposition are those of the neuron feature, the
    mean patch: in the plane of red − green and (red + green) / 2 − blue the axis that has most of its chroma, and on
    it the stronger end; opposition is 0 for one hue, 1 for two opposite ones in equal parts. The axis of a layer is
    that of its units' hues, weighted by selectivity and chroma. In deep layers patches have little in common pixel by
    pixel: the mean of any of them comes close to the mean of all photos, and so does its hue.

    Beside them: the axis along which the colors of the images themselves lie, and the two cardinal axes of
    cone-opponent cells in the primate's lateral geniculate nucleus, L−M and S. Rafegas and Vanrell found in a network
    trained on photos four opponent axes in the first layer (black-white, red-cyan, blue-yellow, magenta-green), and
    in the second one main axis, bluish-orangish, which is also that of the photos.

    The network is run once over each image that is among the strongest of any of the units.
    """
    chosen = [index[one].name for one in layers] if layers else _usual(index)
    units = [_drawn(index, layer, max_units, seed) for layer in chosen]
    found, world = hues(index, chosen, units, min(count, index.n_kept))
    drawn = f"a unit is color-selective above {threshold:g}; up to {max_units} units of each layer, drawn at random"
    notes = [Note("choice", drawn)]
    silent = sum(one.silent for one in found)
    notes += [Note("choice", f"{silent} units that no image excites are left out")] if silent else []
    known = {**cone_axes(), "photos": world}
    return ColorSelectivity(tuple(found), float(threshold), known, Meta(notes=tuple(notes)))


def _usual(index: Index) -> list[str]:
    """The last layer of each size of receptive field, as many as are read in one look; without places the last."""
    last = {None if (at := index[name].placement) is None else at.patch: name for name in index}
    names = [name for size, name in last.items() if size is not None] or [index.layers[-1]]
    return [names[round(i)] for i in np.linspace(0, len(names) - 1, min(_USUAL, len(names)))]


def _drawn(index: Index, layer: str, max_units: int, seed: int) -> np.ndarray:
    return np.sort(generator(seed, layer, "units").permutation(index[layer].channels)[:max_units])
