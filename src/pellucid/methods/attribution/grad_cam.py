"""Grad-CAM: the maps of a layer, weighted by how much each moves the score."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.attribution._layer import activation_gradients, chosen_layer
from pellucid.methods.attribution._skeleton import chunks, heatmap
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import BEST, Target


@method("Grad-CAM", source="Selvaraju et al. 2017, equations 1 and 2, and section 3.3 (counterfactual)")
def grad_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[str | None, Field(description="whose maps to weight; by default the last one with places")] = None,
    against: Annotated[bool, Field(description="what speaks against the target: negated weights")] = False,
    placement: Annotated[
        Literal["field", "stretch"],
        Field(description="cells by their receptive fields, or the map stretched over the picture as most tools do"),
    ] = "field",
) -> Heatmap:
    """Σ_k α_k A^k with α_k the mean of d score / d A^k: (N, rows, columns), signed, in the layer's own frame.

    The values are raw: the paper's ReLU is a view (the positive part), and no map is rescaled. For a linear
    head after average pooling the cells sum to the score less its bias. The score should be a logit.
    """
    seen = net.see(images)
    chosen = chosen_layer(net, seen, target, layer, placement)
    maps, scores = [], []
    for pixels in chunks(seen.pixels, net, "Grad-CAM"):
        activation, gradient, score = activation_gradients(net, pixels, target, chosen.name)
        weights = gradient.mean(dim=(2, 3))
        maps.append(torch.einsum("nk,nkhw->nhw", -weights if against else weights, activation))
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
