"""XGrad-CAM: Grad-CAM whose gradients count by how active their cells are."""

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

_LEAST = 1e-6
"""The sum of a map that cancels out, relative to the sum of its magnitudes, is no smaller than this."""


@method(
    "XGrad-CAM",
    purpose="Grad-CAM with gradients weighted by activation",
    shows=(
        "A positive cell is a place whose feature maps raise the score, a negative one a place where they lower it; "
        "all cells sum to gradient times activation, which is not always the score. Cells are as coarse as the layer. "
        "Where the maps are averaged before a linear classifier the map is that of Grad-CAM, so it confirms nothing "
        "that the two agree. One forward and one backward pass."
    ),
    source="Fu et al. 2020, section 3 (the weights that satisfy sensitivity and conservation)",
)
def x_grad_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k w_k A^k with w_k = Σ_ij g_ij A^k_ij / Σ_ij A^k_ij: (N, rows, columns), signed, in the layer's own frame.

    g = d score / d A^k. The cells sum to Σ g A, which is the score for a piecewise linear network without biases
    behind the layer. Equal to Grad-CAM where the gradient is the same in all cells of a map. A map whose positive
    and negative cells cancel out has no mean place: the sum it is divided by keeps its sign and at least a
    millionth of Σ |A|. Several layers give one map of pixels (N, H, W) as in `grad_cam`. Refused where a layer
    has no places.
    """
    return class_map(net, images, target, layer, placement, weighted(net, target, "XGrad-CAM", _weigh), shared=True)


def _weigh(activation: Tensor, gradient: Tensor) -> Tensor:
    total, size = activation.sum(dim=(2, 3)), activation.abs().sum(dim=(2, 3))
    total = torch.where(total < 0, -torch.ones_like(total), 1) * torch.maximum(total.abs(), _LEAST * size)
    weights = (gradient * activation).sum(dim=(2, 3)) / torch.where(total == 0, torch.ones_like(total), total)
    return torch.einsum("nk,nkhw->nhw", weights, activation)
