"""Grad-CAM: the maps of a layer, weighted by how much each moves the score."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.class_maps import class_map
from pellucid.saliency.layers import LayerNames, PlacingOption
from pellucid.saliency.weighting import by_mean_gradient, weighted
from pellucid.target import BEST, Target


@method(
    "Grad-CAM",
    purpose="weight a layer's maps by their mean gradients",
    shows=(
        "A positive cell is a place whose feature maps raise the score of the class, a negative one a place where they "
        "lower it. Cells are as coarse as the layer, so edges of the map are not edges of the thing, and a map alone "
        "does not say whether the network would miss the place if it were covered. One forward and one backward pass."
    ),
    source="Selvaraju et al. 2017, equations 1 and 2, and section 3.3 (counterfactual)",
)
def grad_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    against: Annotated[bool, Field(description="negate the weights, to map the evidence against the target")] = False,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k α_k A^k with α_k the mean of d score / d A^k: (N, rows, columns), signed, in the layer's own frame.

    The values are raw: the paper's ReLU is a view (the positive part), and no map is rescaled. For a linear
    head after average pooling the cells sum to the score less its bias. The score should be a logit: the gradient
    of a probability vanishes where the network is sure.
    Several layers give one map of pixels (N, H, W): every map is read at the pixels by its own placement, in the
    score per pixel, and the maps are averaged without rescaling any. Refused where a layer has no places.
    """

    def weigh(activation: Tensor, gradient: Tensor) -> Tensor:
        return by_mean_gradient(activation, -gradient if against else gradient)

    return class_map(net, images, target, layer, placement, weighted(net, target, "Grad-CAM", weigh), shared=True)
