"""Occlusion: cover a place, and see how far the score falls."""

from __future__ import annotations

import torch

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.attribution._covers import Filling, Size, Stride, corners, covered_runs, placement
from pellucid.methods.attribution._skeleton import heatmap, scored
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import BEST, Target, fixed


@method("Occlusion", source="Zeiler & Fergus 2013, section 4.2")
def occlusion(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    size: Size = 32,
    stride: Stride = 16,
    fill: Filling = "grey",
) -> Heatmap:
    """How far the score falls when a place is covered: (N, rows, columns) at the covers' centres, signed.

    Positive where the picture needs the place, negative where covering it helps. Ask for `p(class)` to get the
    paper's map of probabilities. The last cover of a row is moved inside, so that the border is treated like
    the rest.
    """
    seen = net.see(images)
    height, width = seen.pixels.shape[-2:]
    rows, columns = (len(corners(n, size, stride)) for n in (height, width))
    maps, scores = [], []
    for one in seen:
        plain = net.run(one.pixels, at=target.layers)
        asked = fixed(target, plain)
        score = scored(asked, plain)
        runs = covered_runs(net, one.pixels, size, stride, fill, target.layers)
        falls = torch.cat([score - scored(asked, run) for run in runs])
        maps.append(falls.view(1, rows, columns))
        scores.append(score)
    return heatmap(
        net,
        seen,
        target,
        torch.cat(maps),
        placement(height, width, size, stride),
        torch.cat(scores),
        unit=target.unit,
    )
