"""Occlusion with covers of several sizes: what does the network need, and how large is it?"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap, Meta, Panel
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.saliency.occluders import Border, Cover, Occluders, Side, score_drops
from pellucid.target import BEST, Target


@method(
    "Occlusion, several sizes",
    purpose="occlusion with covers of several sizes",
    shows=(
        "A positive cell is a place where a cover of that size lowers the score, a negative one a place where it "
        "raises it. Small covers miss what the image shows twice, large ones do not say which part of them mattered. "
        "The mean rescales none of them, so the size with the largest falls decides it, and every cover is itself "
        "seen. At the defaults some 420 forward passes for an input of 224 pixels, more for a larger one."
    ),
    source="Zeiler & Fergus 2013, section 4.2, for a series of cover sizes",
)
def occlusion_sizes(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    sizes: Annotated[
        tuple[Side, ...],
        Field(min_length=1, max_length=8, description="sides of the covers, in pixels of the network's input"),
    ] = (24, 48, 96),
    relative_stride: Annotated[
        float | int, Field(gt=0, le=1, description="step between covers, as a share of their side")
    ] = 0.5,
    fill: Cover = "gray",
    border: Border = "inside",
    seed: Seed = 0,
) -> Panel:
    """How far the score falls under covers of each size: one map (N, rows, columns) each, and their mean (N, H, W).

    Small covers find details that nothing replaces, large ones whole objects that small covers leave
    recognizable. The parts are named `24 px`, `48 px` …, at the covers' centers; `mean` is the average over the
    sizes of what covers on a pixel cost. All are signed and in units of the score. Equal sizes count once.
    """
    prepared = net.prepare(images)
    parts: dict[str, Heatmap] = {}
    total = torch.zeros(len(prepared), *prepared.pixels.shape[-2:], dtype=torch.float64)
    sides = tuple(dict.fromkeys(sizes))
    for side in sides:
        occluders = Occluders.over(prepared, side, max(round(side * relative_stride), 1), border)
        maps, scores, every = [], [], []
        for i, one in enumerate(prepared):
            fall, score, asked = score_drops(net, one.pixels, target, occluders, baseline_of(net, one, fill, seed))
            maps.append(fall)
            scores.append(score)
            every.append(asked)
            total[i] += occluders.per_pixel(fall) / len(sides)
        values = as_exact_as(torch.stack(maps), prepared)
        parts[f"{side} px"] = heatmap(
            net, prepared, target, values, occluders.placement, torch.cat(scores), unit=target.unit_of(net), asked=every
        )
    whole = heatmap(
        net,
        prepared,
        target,
        as_exact_as(total, prepared),
        Placement.pixels(),
        torch.cat(scores),
        unit=target.unit_of(net),
        asked=every,
    )
    return Panel(
        {**parts, "mean": whole},
        Meta(found=whole.meta.found, notes=prepared.notes),
    )
