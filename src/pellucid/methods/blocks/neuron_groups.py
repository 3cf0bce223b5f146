"""Neuron groups: a layer's activations as a few groups of units that are active together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.decomposition.assembled import Points, Steps, Work, blocks_of
from pellucid.decomposition.factors import How
from pellucid.described import Default
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.result import Blocks
from pellucid.rng import Seed
from pellucid.saliency.between import ordered, rectified
from pellucid.target import BEST, Target


@method(
    "Neuron groups",
    purpose="a layer's activations as a few groups of units",
    shows=(
        "Each group is a set of channels that are active together: its picture is made for them, its map says where "
        "they are active, its share what they add to the score. Groups are not unique: read the agreement of two "
        "starts, and the residual, which holds what the groups leave over. A picture shows what excites the group, "
        "not that the group needs it. One forward and one backward pass, then the pictures, 64 optimization steps each."
    ),
    source="Olah et al. 2018, section 'Making Things Human-Scale'; Lee & Seung 1999, equation 1",
    quick={"steps": 16, "points": 4, "groups": 4},
)
def neuron_groups(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer that is taken apart", examples=["blocks.4"]),
        Default("the last layer whose activations are nowhere negative"),
    ] = None,
    groups: Annotated[int, Field(ge=1, le=24, description="number of groups")] = 6,
    method: Annotated[
        How, Field(description="non-negative factorization, or principal components of the activations")
    ] = "nmf",
    points: Points = 16,
    steps: Steps = 64,
    seed: Seed = 0,
) -> Blocks:
    """A ≈ W G of a layer's activations A (cells, channels), for each image: (N, groups, rows, columns) maps W of one
    layer, in `layers`.

    The directions G have unit length, so a map is in units of activation. With g = d score / d A the share of a group
    is Σ w_k(x) G_k · g(x), and all shares with the residual sum to Σ A ∘ g, which is the score less its bias where one
    linear layer follows, directly or behind an average. Layers with activations below zero are split into both signs
    before they are factored, and their groups take from channels as well as add; a note says so. Refused where the
    layer has no places, or the score does not depend on it.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    layers = ordered(net, size, [layer]) if layer else rectified(net, prepared.pixels[:1], target.layers)[-1:]
    return blocks_of(net, prepared, target, layers, Work(groups, method, points, steps, seed), chosen=not layer)
