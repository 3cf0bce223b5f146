"""Layer-CAM: places of a layer, each weighted by its own positive gradient; sharp at shallow layers too."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.class_maps import class_map
from pellucid.saliency.layers import LayerNames, PlacingOption
from pellucid.saliency.weighting import weighted
from pellucid.target import BEST, Target

_GAMMA = 2.0  # of equation 9


@method(
    "Layer-CAM",
    purpose="positive gradient times activation, by cell",
    shows=(
        "A large cell is strong in maps that would raise the score if they were stronger in that very place. Evidence "
        "against the class does not show: negative gradients are dropped, and behind a rectifier no cell is negative. "
        "For that reason the map hardly tells classes apart; in an image of several things it marks those of other "
        "classes too. One forward and one backward pass."
    ),
    source="Jiang et al. 2021, section III, equations 5 to 7 and 9",
)
def layer_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    fusion: Annotated[
        Literal["mean", "paper"],
        Field(
            description="way to combine several layers: mean of the raw maps, or maximum of tanh(2 · map / its "
            "maximum), as in the paper"
        ),
    ] = "mean",
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k relu(g^k) ⊙ A^k with g = d score / d A: (N, rows, columns), in units of the score, in the layer's frame.

    The ReLU on the gradient is the formula's own; the paper's second one, on the map, is a view. Several layers
    give one map of pixels (N, H, W): the mean as in `grad_cam`, or the paper's fusion, in which every layer counts
    the same however little it says. Refused where a layer has no places.
    """
    paper, notes = fusion == "paper", list[Note]()
    maps_of, fuse = weighted(net, target, "Layer-CAM", _weigh, notes), _largest if paper else None
    return class_map(net, images, target, layer, placement, maps_of, shared=not paper, fuse=fuse, notes=notes)


def _weigh(activation: Tensor, gradient: Tensor) -> Tensor:
    return torch.einsum("nkhw,nkhw->nhw", gradient.relu(), activation)


def _largest(maps: list[Tensor]) -> Tensor:
    """The largest of tanh(γ M / max M), in 0..1; a map without a positive place gives nothing."""
    scaled = []
    for one in maps:
        positive = one.relu()
        most = positive.amax(dim=(1, 2), keepdim=True)
        scaled.append(torch.tanh(_GAMMA * positive / torch.where(most > 0, most, 1.0)))
    return torch.stack(scaled).amax(0)
