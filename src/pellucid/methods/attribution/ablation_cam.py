"""Ablation-CAM: the maps of a layer, weighted by how far the score falls without each."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.onward import Onward
from pellucid.net.rules.elementwise import upcast
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.saliency.class_maps import Mapped, class_map
from pellucid.saliency.layers import Chosen, LayerNames, PlacingOption
from pellucid.saliency.weighting import no_amounts
from pellucid.target import BEST, Target, fixed, scored

_LEAST = 1e-6
"""A score is divided by as if it were no smaller than this part of the largest fall."""


@method(
    "Ablation-CAM",
    purpose="weight maps by the score lost without them",
    shows=(
        "A positive cell is strong in maps without which the score falls, a negative one in maps without which it "
        "rises. A map set to zero is a state that the network was not trained on; and where two maps say the same, the "
        "loss of either costs little, so that both seem unimportant. One forward pass of the image, then one for each "
        "channel of the layer, often hundreds, from the layer on where the network allows it."
    ),
    source="Desai & Ramaswamy 2020, section 3 (slope of a unit)",
)
def ablation_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    drop: Annotated[
        Literal["relative", "difference"],
        Field(description="measure of the score drop: (y − y_k) / |y| as in the paper, or the difference y − y_k"),
    ] = "relative",
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k w_k A^k with w_k the fall of the score y to y_k when map k is set to 0: (N, rows, columns), signed, raw.

    No gradient is used, so saturation hides nothing. The relative fall is divided by |y|: with the paper's y the map
    of a negative score would have its sign turned. Meant for layers behind a rectifier, where 0 means nothing is
    there. One pass for each channel. Several layers give one map of pixels (N, H, W), the mean of the layers' raw
    maps. Refused where a layer has no places.
    """
    notes: list[Note] = []

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        maps, scores, every = [], [], list[Target]()
        for one in prepared:
            plain = net.run(one.pixels, layers=(chosen.name, *target.layers))
            asked = fixed(target, plain)
            activation, score = upcast(plain[chosen.name][0]), scored(asked, plain)
            no_amounts(notes, chosen.name, activation)
            score_drops = upcast(score) - without(net, one.pixels, chosen.name, len(activation), asked)
            if drop == "relative":
                size = torch.maximum(upcast(score).abs(), _LEAST * score_drops.abs().max())
                score_drops = score_drops / torch.where(size == 0, 1.0, size)
            maps.append(torch.einsum("k,khw->hw", score_drops.to(activation), activation))
            scores.append(score)
            every.append(asked)
        return Mapped(torch.stack(maps), torch.cat(scores), tuple(every))

    unit = "activation" if drop == "relative" else "{} × activation"
    return class_map(net, images, target, layer, placement, maps_of, unit=unit, notes=notes)


def without(net: Net, pixels: Tensor, layer: str, channels: int, target: Target) -> Tensor:
    """(channels,) scores of one image (1, C, H, W) with each channel of the layer set to 0 in turn."""
    passes, found = Onward(net, pixels, layer, target.layers), []
    for gone in steps(torch.eye(channels, dtype=torch.bool).split(passes.at_once), "Ablation-CAM"):

        def ablate(activation: Tensor, gone: Tensor = gone) -> Tensor:
            return torch.where(gone[:, :, None, None].to(activation.device), 0, activation)

        found.append(upcast(scored(target, passes.run(len(gone), ablate)).detach()))
    return torch.cat(found)
