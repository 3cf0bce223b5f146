"""Occlusion, rank: how far back the class falls among all when a place is hidden."""

from __future__ import annotations

import torch

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import heatmap
from pellucid.saliency.occluders import Border, Cover, Occluders, Size, Stride
from pellucid.saliency.ranks import ahead, class_of
from pellucid.target import BEST, Target, fixed


@method(
    "Occlusion, rank of the class",
    purpose="rank of the class when each place is covered",
    shows=(
        "A large number means that many classes are ahead of the one asked about while the place is covered; 0 means "
        "that it comes first. Ranks are coarse: a class far ahead stays first however much its score falls, and one "
        "among many close ones moves far for a small change. The gray cover is itself seen and may bring up classes of "
        "its own. One forward pass for each cover, about 170 at the defaults."
    ),
    source="Zeiler & Fergus 2013, section 4.2 (after figure 7)",
    quick={"size": 0.18, "stride": 0.125},
)
def occlusion_rank(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    size: Size = None,
    stride: Stride = None,
    fill: Cover = "gray",
    border: Border = "inside",
    seed: Seed = 0,
) -> Heatmap:
    """How many classes are ahead of this one when each place is covered, 0 where it is first: (N, rows, columns).

    Whole numbers at the covers' centers, the rank less 1, so that a place which changes nothing is zero; classes
    of equal score are not ahead of one another. `Meta.score` is that of the whole image. Refused for targets
    that are no class.
    """
    prepared = net.prepare(images)
    occluders = Occluders.over(prepared, size, stride, border)
    maps, first, asked = [], [], []
    for one in prepared:
        plain = net.run(one.pixels, layers=target.layers)
        index = class_of(target, plain)
        runs = occluders.runs(net, one.pixels, baseline_of(net, one, fill, seed), ())
        maps.append(torch.cat([ahead(run, index) for run in runs]).view(occluders.shape))
        first.append(ahead(plain, index))
        asked.append(fixed(target, plain))
    values = torch.stack(maps).double()
    return heatmap(
        net,
        prepared,
        target,
        values,
        occluders.placement,
        torch.cat(first),
        unit="classes ahead",
        signed=False,
        asked=asked,
    )
