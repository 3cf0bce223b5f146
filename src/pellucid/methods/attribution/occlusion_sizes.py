"""Occlusion with covers of several sizes: what does the network need, and how large is it?"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.chance import Seed
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap, Meta, Panel
from pellucid.saliency.baselines import stand_in
from pellucid.saliency.covers import Border, Cover, Covers, Side, falls
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.target import BEST, Target


@method(
    "Occlusion, several sizes",
    purpose="occlusion with covers of several sizes",
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
    step: Annotated[float | int, Field(gt=0, le=1, description="step between covers, as a share of their side")] = 0.5,
    fill: Cover = "grey",
    border: Border = "inside",
    seed: Seed = 0,
) -> Panel:
    """How far the score falls under covers of each size: one map (N, rows, columns) each, and their mean (N, H, W).

    Small covers find details that nothing replaces, large ones whole objects that small covers leave
    recognisable. The parts are named `24 px`, `48 px` …, at the covers' centres; `mean` is the average over the
    sizes of what covers on a pixel cost. All are signed and in units of the score. Equal sizes count once.
    """
    seen = net.see(images)
    parts: dict[str, Heatmap] = {}
    total = torch.zeros(len(seen), *seen.pixels.shape[-2:], dtype=torch.float64)
    sides = tuple(dict.fromkeys(sizes))
    for side in sides:
        covers = Covers.over(seen, side, max(round(side * step), 1), border)
        maps, scores, every = [], [], []
        for i, one in enumerate(seen):
            fall, score, asked = falls(net, one.pixels, target, covers, stand_in(net, one, fill, seed))
            maps.append(fall)
            scores.append(score)
            every.append(asked)
            total[i] += covers.per_pixel(fall) / len(sides)
        values = as_exact_as(torch.stack(maps), seen)
        parts[f"{side} px"] = heatmap(
            net, seen, target, values, covers.placement, torch.cat(scores), unit=target.unit_of(net), asked=every
        )
    whole = heatmap(
        net,
        seen,
        target,
        as_exact_as(total, seen),
        Placement.pixels(),
        torch.cat(scores),
        unit=target.unit_of(net),
        asked=every,
    )
    return Panel(
        {**parts, "mean": whole},
        Meta(found=whole.meta.found, notes=seen.notes),
    )
