"""Semantic dictionary: what the cells of a layer detect, as pictures of their strongest units."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.decomposition.assembled import Steps
from pellucid.decomposition.detected import Entry, Order, detected
from pellucid.described import Default
from pellucid.images import Images
from pellucid.index.index import IndexOption
from pellucid.net import LayerName, Net
from pellucid.result import Blocks
from pellucid.saliency.between import ordered, rectified
from pellucid.target import BEST, Target


@method(
    "Semantic dictionary",
    purpose="what cells of a layer detect, as pictures of units",
    shows=(
        "Each row is a place of the image: the layer's strongest units there, each with a picture made for it and, "
        "with an index, the patch of a real image that excites it most; below, how active it is and what it adds to "
        "the score. A unit may respond to things that neither shows, and strong is not important. "
        "Forward and backward passes, then 64 optimization steps for each picture."
    ),
    source="Olah et al. 2018, section 'Making Sense of Hidden Layers', figure 1",
    quick={"steps": 16, "units": 3},
)
def semantic_dictionary(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer whose cells are read", examples=["blocks.4"]),
        Default("the last layer without negative activations whose maps are not the smallest"),
    ] = None,
    cell: Annotated[
        tuple[int, int] | None,
        Field(description="row and column of one cell, as 3,4", examples=["3,4"]),
        Default("the three cells that add most to the score and do not touch"),
    ] = None,
    order: Annotated[
        Order,
        Field(description="order of the units: by their shares of the score in the cell, or by their activations"),
    ] = "attribution",
    units: Annotated[int, Field(ge=1, le=12, description="number of units for each cell")] = 4,
    index: Annotated[
        IndexOption | None,
        Field(description="index of the same network, for a patch of a real image beside each picture"),
        Default("none"),
    ] = None,
    steps: Steps = 64,
) -> Blocks:
    """Of each cell its strongest units: (N, units) activations there, and shares of the score.

    `layers` has an entry for each cell, with the whole maps of its units, (N, units, rows, columns). With g the
    gradient of the score at the layer, taken at 16 points on the way from no activation, a share is A ∘ g in that cell,
    and the residual that of all its other units: their sum over all cells is the layer's attribution. Raises
    PellucidError for a cell that is not there.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    usual = rectified(net, prepared.pixels[:1], target.layers)
    there = [one for one in usual if index is None or one in index] or usual
    name = ordered(net, size, [layer])[0] if layer else there[-2:][0]
    return detected(net, prepared, target, name, Entry(cell, order, units, index, steps), chosen=not layer)
