"""Pathways: a decision from the image through groups of units at several layers to the class."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.decomposition.assembled import Points, Steps, Work, blocks_of
from pellucid.described import Default
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.result import Blocks
from pellucid.rng import Seed
from pellucid.saliency.between import ordered, rectified
from pellucid.target import BEST, Target

_LAYERS = 3


@method(
    "Pathways",
    purpose="a decision from the image through groups to the class",
    shows=(
        "Each column is a layer, taken apart into groups of units with picture, map and share of the score. A ribbon "
        "between two groups is the part of the later one's share that comes through the earlier one, orange-red where "
        "it adds and blue where it takes. The gray boxes are what groups leave over, and are never left out. Groups "
        "are not unique, and attribution is linear: it says what holds near this image. A backward pass for each "
        "group, then the pictures, 64 optimization steps each."
    ),
    source="Olah et al. 2018, sections 'What Does the Network See?' and 'How Are Concepts Assembled?', figure 5",
    quick={"steps": 16, "points": 4, "groups": 3},
)
def pathways(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(description="layers from early to late, as a,b,c", examples=["blocks.2,blocks.4,blocks.6"]),
        Default("the last layer without negative activations of each of the three smallest sizes of maps"),
    ] = None,
    groups: Annotated[int, Field(ge=1, le=12, description="number of groups at each layer")] = 4,
    points: Points = 16,
    steps: Steps = 64,
    seed: Seed = 0,
) -> Blocks:
    """`neuron_groups` at each of the `layers`, and links (N, groups + 1, groups + 1) between each two that follow.

    The link from group i to group j of the next layer is Σ w_i(x) G_i · d (share of j) / d A(x), with the score's
    gradient at the later layer held; maps are the weights of a least squares problem, whose derivative is exact. The
    last row and column belong to the residuals. The links of a group to all of the next layer sum to its share exactly;
    those into a group sum to its share but for biases between the layers and what is not linear there, which is shown.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    names = ordered(net, size, layers) if layers else rectified(net, prepared.pixels[:1], target.layers)[-_LAYERS:]
    return blocks_of(net, prepared, target, names, Work(groups, "nmf", points, steps, seed), chosen=not layers)
