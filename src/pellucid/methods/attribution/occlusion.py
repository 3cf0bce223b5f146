"""Occlusion: cover a place, and see how far the score falls."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.saliency.occluders import Border, Cover, Occluders, Size, Stride, score_drops
from pellucid.target import BEST, Target


@method(
    "Occlusion",
    purpose="cover each place and measure the score's drop",
    shows=(
        "A positive cell is a place whose covering lowers the score, a negative one a place whose covering raises it. "
        "The gray cover is itself something to see, and may look like another thing: compare two fills. What the image "
        "shows twice is missed, because either copy is enough; and cells are as coarse as the cover. One forward pass "
        "for each cover, about 170 at the defaults."
    ),
    source="Zeiler & Fergus 2013, section 4.2",
    quick={"size": 0.18, "stride": 0.125},
)
def occlusion(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    size: Size = None,
    stride: Stride = None,
    fill: Cover = "gray",
    border: Border = "inside",
    per_pixel: Annotated[bool, Field(description="give every pixel the mean over all covers that lie on it")] = False,
    seed: Seed = 0,
) -> Heatmap:
    """How far the score falls when a place is covered: (N, rows, columns) at the covers' centers, signed.

    Positive where the image needs the place, negative where covering it helps, in units of the score. Ask
    for `p(class)` to get the paper's map of probabilities, for `layer:unit` to get that of a unit's response.
    With `per_pixel` (N, height, width). `border` says what happens at the edges: by default the last cover of
    a row is moved inside, so that the border is treated like the rest. Raises PellucidError for `per_pixel`
    where covers leave pixels out.
    """
    prepared = net.prepare(images)
    occluders = Occluders.over(prepared, size, stride, border)
    maps, scores, every = [], [], []
    for one in prepared:
        fall, score, asked = score_drops(net, one.pixels, target, occluders, baseline_of(net, one, fill, seed))
        maps.append(occluders.per_pixel(fall) if per_pixel else fall)
        scores.append(score)
        every.append(asked)
    return heatmap(
        net,
        prepared,
        target,
        as_exact_as(torch.stack(maps), prepared),
        Placement.pixels() if per_pixel else occluders.placement,
        torch.cat(scores),
        unit=target.unit_of(net),
        asked=every,
    )
