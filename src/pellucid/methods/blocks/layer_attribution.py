"""Attribution between layers: where in an earlier layer the parts of a later one come from."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.decomposition.assembled import Points
from pellucid.decomposition.parts import Kind, origins
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.progress import steps as told
from pellucid.result import Heatmap, Meta, Panel
from pellucid.result.meta import Found
from pellucid.saliency.between import ordered, rectified
from pellucid.saliency.heatmaps import asked_of
from pellucid.saliency.layers import chosen_layer
from pellucid.target import BEST, Target, fixed


@method(
    "Attribution between layers",
    purpose="where a later layer's cells, units or groups come from",
    shows=(
        "Each map is of one part of the later layer: a cell, a unit or a group of units. A positive place of the "
        "earlier layer adds to what that part contributes to the score, a negative one takes from it; the last map is "
        "of all other parts. That a part draws on a place does not say that nothing else could stand in for it. "
        "A backward pass for each part at each point."
    ),
    source="Olah et al. 2018, section 'Where does attribution go?', figure 4",
    quick={"points": 4},
)
def layer_attribution(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="earlier layer, of the maps", examples=["blocks.4"]),
        Default("the last layer without negative activations whose maps are larger than those of the later one"),
    ] = None,
    later: Annotated[
        LayerName | None,
        Field(description="later layer, of the parts", examples=["blocks.6"]),
        Default("the last layer whose activations are nowhere negative"),
    ] = None,
    of: Annotated[
        Kind, Field(description="parts of the later layer: its cells, its units, or groups of units")
    ] = "groups",
    count: Annotated[
        int, Field(ge=1, le=24, description="number of parts, those with the largest shares of the score")
    ] = 4,
    points: Points = 16,
) -> Panel:
    """Of each part a map over the cells of `layer`, (N, rows, columns), signed, in units of the score.

    A part is a projection m · A of the later layer's activations A whose value is its share of the score: with g the
    gradient there, all of g in one cell, of one channel, or what belongs to a group of `neuron_groups`. Its map is
    Σ over channels of B ∘ d (m · A) / d B at the earlier layer B, the gradient taken as at `points`. `the rest` is
    everything else, so that with `points` = 1 all maps sum to the earlier layer's own attribution, exactly.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    usual = rectified(net, prepared.pixels[:1], target.layers) if layer is None or later is None else ()
    end = later or usual[-1]
    begin = layer or _earlier(net, prepared.pixels[:1], usual, end)
    if ordered(net, size, [begin, end]) != (begin, end):
        raise PellucidError(f"layer={begin!r} does not come before later={end!r}: name an earlier one")
    where = chosen_layer(net, prepared, target.layers, begin, "auto")
    found, asked = [], []
    each = range(len(prepared))
    for i in told(each, "attribution between layers: images") if len(each) > 1 else each:
        pixels = prepared.pixels[i : i + 1]
        asked.append(fixed(target, net.run(pixels, layers=target.layers)) if target.reads_output else target)
        found.append(origins(net, pixels, asked[-1], begin, end, of, count, points))
    unit, parts = target.unit_of(net), dict[str, Heatmap]()
    for k in range(len(found[0].names)):
        names = tuple(one.names[k] for one in found)
        about: dict[str, Found] = {
            "target": names[0] if len(names) == 1 else f"a part of {end}",
            "targets": names,
            "layer": begin,
        }
        shares = tuple(one.shares[k] for one in found)
        values = np.stack([one.maps[k] for one in found])
        meta = Meta(found={**about, "score": shares})
        parts[_KINDS[of].format(k + 1) if k < count else "the rest"] = Heatmap(
            values, where.placement, prepared.views, unit=unit, signed=True, meta=meta
        )
    facts = {**asked_of(net, target, asked), "layer": begin, "later": end}
    return Panel(parts, Meta(found=facts, notes=(*prepared.notes, *where.note)))


def _earlier(net: Net, pixels: Float[Tensor, "1 c h w"], usual: tuple[str, ...], end: str) -> str:
    """The last usual layer that runs before another one; where all maps have one size, the last one of any; where
    there is no other usual one, the last layer with places."""
    size = (pixels.shape[-2], pixels.shape[-1])
    placed = tuple(row.name for row in net.layers(size).rows if row.spatial and row.placement is not None)
    for some in (usual, rectified(net, pixels, every=True), placed):
        for one in reversed(some):
            if one != end and ordered(net, size, [one, end])[-1] == end:
                return one
    raise PellucidError(
        f"{net.name} has no layer with places before later={end!r}: name a later one, or ask neuron_groups, which "
        "needs one layer"
    )


_KINDS: dict[Literal["cells", "units", "groups"], str] = {"cells": "cell {}", "units": "unit {}", "groups": "group {}"}
