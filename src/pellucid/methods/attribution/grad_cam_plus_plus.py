"""Grad-CAM++: Grad-CAM that does not let one large instance drown several small ones."""

from __future__ import annotations

import torch
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

_POLE = 1e-3
"""Nearer to zero the denominator says nothing: it is the difference of two numbers that are about 2."""


@method(
    "Grad-CAM++",
    purpose="Grad-CAM for several objects of one class",
    shows=(
        "A large cell is strong in maps whose gradient is positive somewhere. Evidence against the class does not "
        "show: negative gradients are dropped, and behind a rectifier no cell is negative. For that reason the map "
        "hardly tells classes apart; in an image of several things it marks those of other classes too. One forward "
        "and one backward pass."
    ),
    source="Chattopadhay et al. 2018, equations 7 and 19, for Y = exp(S)",
)
def grad_cam_plus_plus(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k w_k A^k with w_k = Σ_ij a_ij relu(g_ij): (N, rows, columns), raw, in the layer's own frame.

    g = d score / d A^k and a_ij = 1 / (2 + (Σ A^k) g_ij), which is the paper's g² / (2 g² + (Σ A^k) g³) with g²
    divided out: so nothing underflows and no epsilon is added. The factor exp(S) of the paper, common to all
    weights, is left out. Meant for logits and for layers behind a rectifier; where Σ A^k is negative, cells at the
    pole of a_ij count as nothing. The map cannot be negative where A is not. Several layers give one map of pixels
    (N, H, W), the mean of the layers' raw maps. Refused where a layer has no places.
    """
    notes: list[Note] = []
    maps_of = weighted(net, target, "Grad-CAM++", _weigh, notes)
    return class_map(net, images, target, layer, placement, maps_of, notes=notes)


def _weigh(activation: Tensor, gradient: Tensor) -> Tensor:
    below = 2 + activation.sum(dim=(2, 3), keepdim=True) * gradient
    share = torch.where(below.abs() > _POLE, 1 / below, 0.0)
    weights = (share * gradient.relu()).sum(dim=(2, 3))
    return torch.einsum("nk,nkhw->nhw", weights, activation)
