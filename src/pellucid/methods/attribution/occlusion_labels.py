"""The label map of occlusion: what the network would say if a place were hidden."""

from __future__ import annotations

import torch

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import LabelMap, Meta
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.occluders import Border, Cover, Occluders, Size, Stride
from pellucid.saliency.ranks import by_class, names_of


@method(
    "Occlusion, label map",
    purpose="predicted class when each place is covered",
    shows=(
        "Each cell names the class that comes first while the place is covered; where it is another one than for the "
        "whole image, the first guess needs that place. The new class is not what lies there: it is the answer to the "
        "rest of the image with a gray square in it, and where two classes are close any small change exchanges them. "
        "One forward pass for each cover, about 170 at the defaults."
    ),
    source="Zeiler & Fergus 2013, section 4.2, figure 7 (e)",
)
def occlusion_labels(
    net: Net,
    images: Images,
    *,
    size: Size = None,
    stride: Stride = None,
    fill: Cover = "gray",
    border: Border = "inside",
    seed: Seed = 0,
) -> LabelMap:
    """The best guess when each place is covered: (N, rows, columns) class numbers at the covers' centers."""
    prepared = net.prepare(images)
    occluders = Occluders.over(prepared, size, stride, border)
    maps = []
    for one in prepared:
        runs = occluders.runs(net, one.pixels, baseline_of(net, one, fill, seed), ())
        maps.append(torch.cat([by_class(run).argmax(1) for run in runs]).view(occluders.shape))
    values = torch.stack(maps).cpu().numpy()
    return LabelMap(values, occluders.placement, prepared.views, names_of(net, values), Meta(notes=prepared.notes))
