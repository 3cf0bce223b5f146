"""Class activation mapping: where the evidence lies, for networks that average their last maps and decide linearly."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.methods.attribution._layer import activation_gradients, chosen_layer
from pellucid.methods.attribution._skeleton import chunks, heatmap, scored
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import BEST, Target, fixed


@method("Class activation map", source="Zhou et al. 2016, equations 1 and 2")
def cam(net: Net, images: Images, target: Target = BEST) -> Heatmap:
    """Σ_k w_k A^k over the last maps A: (N, rows, columns), signed, in units of the score.

    Exact only where the score is a linear function of the maps' averages: then the mean of the map is the score
    less its bias. This is tested on the very images, and Refused with the reason where it does not hold; Grad-CAM
    has no such condition.
    """
    seen = net.see(images)
    chosen = chosen_layer(net, seen, target, None, "field")
    maps, scores = [], []
    for pixels in chunks(seen.pixels, net, "CAM"):
        for one in pixels.split(1):
            asked = fixed(target, net.run(one, at=target.layers))
            activation, gradient, score = activation_gradients(net, one, asked, chosen.name)
            weights = gradient.sum(dim=(2, 3))
            _check_head(net, one, asked, chosen.name, activation, gradient, score)
            maps.append(torch.einsum("nk,nkhw->nhw", weights, activation))
            scores.append(score)
    return heatmap(
        net,
        seen,
        target,
        torch.cat(maps),
        chosen.placement,
        torch.cat(scores),
        unit=target.unit,
        layer=chosen.name,
        notes=chosen.note,
    )


def _check_head(
    net: Net, pixels: Tensor, target: Target, layer: str, activation: Tensor, gradient: Tensor, score: Tensor
) -> None:
    """Refuse heads that do not average, then heads that are not linear."""
    # Relative to the score: float32 rounds far below a thousandth, half precisions do not.
    tolerance = max(1e-3, 10 * torch.finfo(activation.dtype).eps)
    scale = float(gradient.abs().max())
    uneven = float((gradient - gradient.mean(dim=(2, 3), keepdim=True)).abs().max())
    if uneven > tolerance * scale:
        raise Refused(
            f"CAM needs a head that averages the maps of {layer!r}: here the weight of a map differs from place "
            f"to place by {uneven / scale:.0%}; use grad_cam"
        )
    bias = scored(target, net.run(pixels, at=target.layers, edit={layer: torch.zeros_like}))
    linear = bias + (gradient * activation).sum(dim=(1, 2, 3))
    gap, size = float((linear - score).abs().max()), float(score.abs().max() + bias.abs().max())
    if gap > tolerance * max(size, 1e-12):
        raise Refused(
            f"CAM needs a score that is linear in the averages of {layer!r}: here the linear part misses it by "
            f"{gap:.3g}; use grad_cam"
        )
