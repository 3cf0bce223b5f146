"""HiResCAM: the gradient at a layer times the layer, place by place."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.class_maps import class_map
from pellucid.saliency.layers import LayerNames, PlacingOption
from pellucid.saliency.weighting import weighted
from pellucid.target import BEST, Target


@method(
    "HiResCAM",
    purpose="gradient times activation at every cell",
    shows=(
        "A positive cell adds to the score, a negative one takes from it; if one linear layer follows, all cells sum "
        "to the score less its bias. Cells are as coarse as the layer, and each sees more of the image than its own "
        "place. Where the maps are averaged before a linear classifier the map is that of Grad-CAM, so it confirms "
        "nothing that the two agree. One forward and one backward pass."
    ),
    source="Draelos & Carin 2020, section 3 (gradient and activation multiplied before the sum)",
)
def hires_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k g^k ⊙ A^k with g = d score / d A: (N, rows, columns), signed, in units of the score, in the layer's frame.

    No gradient is averaged over places, so every cell tells its own share: with one linear layer behind, the cells
    sum to the score less its bias; with a piecewise linear network without biases behind, to the score. Several
    layers give one map of pixels (N, H, W) as in `grad_cam`. Refused where a layer has no places.
    """
    return class_map(net, images, target, layer, placement, weighted(net, target, "HiResCAM", _weigh), shared=True)


def _weigh(activation: Tensor, gradient: Tensor) -> Tensor:
    return torch.einsum("nkhw,nkhw->nhw", gradient, activation)
