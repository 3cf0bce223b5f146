"""Score-CAM: the maps of a layer, weighted by what the network says when it sees the image only through them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.net.rules.elementwise import upcast
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.backward import chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.class_maps import Mapped, class_map
from pellucid.saliency.layers import Chosen, LayerNames, PlacingOption, at_pixels
from pellucid.saliency.weighting import no_amounts
from pellucid.target import BEST, Logit, Probability, Target, fixed, scored

_FLAT = 1e-6
"""A mask that varies less, relative to its largest value, is constant up to rounding: it hides nothing."""


@method(
    "Score-CAM",
    purpose="weight maps by the score of the image they mask",
    shows=(
        "A large cell is strong in maps through which the image, all else being black, still gets a high score. No "
        "weight is negative, so behind a rectifier evidence against the class does not show. Where the scores are far "
        "apart, nearly all weight goes to one channel, and the map is little more than that channel's. One forward "
        "pass of the whole network for each channel of the layer, often hundreds."
    ),
    source="Wang et al. 2020, section 3 and algorithm 1, and the authors' code",
    quick={"tried": 64},
)
def score_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    variant: Annotated[
        Literal["paper", "authors"],
        Field(
            description="weight of a channel: softmax of the scores over channels (paper), or the probability of the "
            "class (authors' code)"
        ),
    ] = "paper",
    tried: Annotated[
        int | None,
        Field(
            ge=1, description="number of channels that are tried, those whose maps vary most; the others weigh nothing"
        ),
        Default("all"),
    ] = None,
    fill: Annotated[
        BaselineLike | None,
        Field(description="fill where the mask is zero: a named one, or an image of your own"),
        Default("black with the variant paper, the mean color with authors"),
    ] = None,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Σ_k w_k A^k with w_k from the score of the image seen through A^k: (N, rows, columns), raw.

    Every map is read at the pixels, stretched to 0..1 and multiplied with the image. `paper`: w is the softmax
    over all channels of these scores; the paper's baseline drops out of it, and where scores spread widely
    one channel takes all. `authors`: w_k is the class's probability itself (the score, for targets other than a
    class), as in the authors' code, which multiplies the normalized image. Constant maps hide nothing and weigh
    nothing. One pass for each channel that is tried. Several layers give one map of pixels (N, H, W), the mean of the
    layers' raw maps. Refused where a layer has no places.
    """
    notes: list[Note] = []

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        maps, scores, every = [], [], list[Target]()
        for one in prepared:
            plain = net.run(one.pixels, layers=(chosen.name, *target.layers))
            asked = fixed(target, plain)
            activation = upcast(plain[chosen.name][0])
            no_amounts(notes, chosen.name, activation)
            if fill is not None:
                ground = baseline_of(net, one, fill)
            else:
                color = net.preprocess.mean if variant == "authors" else (0.0,)
                ground = one.pixels.new_tensor(color).view(1, -1, 1, 1)
            judged = Probability(asked.of_class) if variant == "authors" and isinstance(asked, Logit) else asked
            heard = activation.new_full((len(activation),), torch.nan)
            varied = activation.flatten(1).std(1, correction=0).argsort(descending=True, stable=True)
            most = varied[:tried].sort().values
            heard[most] = through(net, one.pixels, ground, activation[most], chosen, judged).to(heard)
            weight = _softmax(heard) if variant == "paper" else heard.nan_to_num(nan=0.0)
            maps.append(torch.einsum("k,khw->hw", weight.to(activation), activation))
            scores.append(scored(asked, plain))
            every.append(asked)
        return Mapped(torch.stack(maps), torch.cat(scores), tuple(every))

    return class_map(net, images, target, layer, placement, maps_of, unit="activation", notes=notes)


def through(net: Net, pixels: Tensor, ground: Tensor, activation: Tensor, chosen: Chosen, target: Target) -> Tensor:
    """(K,) scores of one image (1, C, H, W) seen through each of its maps (K, rows, columns); NaN for flat ones."""
    size = (pixels.shape[-2], pixels.shape[-1])
    found = []
    for maps in chunks(activation, net, "Score-CAM", size, grad=False):
        masks = at_pixels(maps, chosen.placement, size)
        low, high = (edge(masks.flatten(1), dim=1).view(-1, 1, 1) for edge in (torch.amin, torch.amax))
        flat = high - low <= _FLAT * torch.maximum(high.abs(), low.abs())
        masks = ((masks - low) / torch.where(flat, 1.0, high - low))[:, None]
        run = net.run(ground + masks * (pixels - ground), layers=target.layers)
        scores = upcast(scored(target, run).detach())
        found.append(torch.where(flat.view(-1).to(scores.device), torch.nan, scores))
    return torch.cat(found)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over channels with a mask that is not constant; all zero where there is none."""
    heard = ~scores.isnan()
    weights = torch.zeros_like(scores)
    weights[heard] = scores[heard].softmax(0)
    return weights
