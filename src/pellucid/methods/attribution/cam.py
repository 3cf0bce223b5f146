"""Class activation mapping: where the evidence lies, for networks that average their last maps and decide linearly."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.backward import chunks
from pellucid.saliency.class_maps import Mapped, class_map
from pellucid.saliency.layers import Chosen
from pellucid.saliency.weighting import activation_gradients
from pellucid.target import BEST, Target, scored


@method(
    "Class activation map",
    purpose="weight the last maps as the classifier does",
    shows=(
        "A positive cell adds to the score of the class, a negative one takes from it; the mean of all cells is the "
        "score less its bias. Cells are coarse, and each sees more of the image than the place where it is drawn, so "
        "edges of the map are not edges of the thing. Two forward passes and one backward pass; the second forward "
        "pass tests whether the score is linear in the averages of the maps."
    ),
    source="Zhou et al. 2016, equations 1 and 2",
)
def cam(net: Net, images: Images, target: Target = BEST) -> Heatmap:
    """Σ_k w_k A^k over the last maps A: (N, rows, columns), signed, in units of the score.

    Exact only where the score is a linear function of the maps' averages: then the mean of the map is the score
    less its bias. This is tested on the very images, and Refused with the reason where it does not hold; Grad-CAM
    has no such condition. A rectifier between the maps and their average that is no layer of its own, as in
    DenseNet, is seen through: A is then what it lets pass.
    """

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        maps, scores, asked = [], [], list[Target]()
        for pixels in chunks(prepared.pixels, net, "CAM"):
            for one in pixels.split(1):
                activation, gradient, score, named = activation_gradients(net, one, target, chosen.name)
                _check_head(net, one, named[0] if named else target, chosen.name, activation, gradient, score)
                # The gradient is w_k / cells, or zero where a rectifier shuts: so this is w_k A^k, or w_k relu(A^k).
                maps.append(gradient[0, 0].numel() * torch.einsum("nkhw,nkhw->nhw", gradient, activation))
                scores.append(score)
                asked += named
        return Mapped(torch.cat(maps), torch.cat(scores), tuple(asked))

    return class_map(net, images, target, None, "field", maps_of)


def _check_head(
    net: Net, pixels: Tensor, target: Target, layer: str, activation: Tensor, gradient: Tensor, score: Tensor
) -> None:
    """Refuse heads that do not average, then heads that are not linear."""
    # Relative to the score: float32 rounds far below a thousandth, half precisions do not.
    tolerance = max(1e-3, 10 * torch.finfo(activation.dtype).eps)
    scale = float(gradient.abs().max())
    uneven = min(_unevenness(gradient, torch.ones_like(gradient)), _unevenness(gradient, (activation > 0).to(gradient)))
    if uneven > tolerance * scale:
        raise Refused(
            f"CAM needs a head that averages the maps of {layer!r}: here the weight of a map differs from place "
            f"to place by {uneven / scale:.0%}; use grad_cam"
        )
    bias = scored(target, net.run(pixels, layers=target.layers, edit={layer: torch.zeros_like}))
    linear = bias + (gradient * activation).sum(dim=(1, 2, 3))
    gap, size = float((linear - score).abs().max()), float(score.abs().max() + bias.abs().max())
    if gap > tolerance * max(size, 1e-12):
        raise Refused(
            f"CAM needs a score that is linear in the averages of {layer!r}: here the linear part misses it by "
            f"{gap:.3g}; use grad_cam"
        )


def _unevenness(gradient: Tensor, passed: Tensor) -> float:
    """How far the gradient is from one weight for each map where `passed` is 1, and zero elsewhere."""
    weight = (gradient * passed).sum(dim=(2, 3), keepdim=True) / passed.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    return float((gradient - weight * passed).abs().max())
