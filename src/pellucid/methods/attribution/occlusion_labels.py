"""The label map of occlusion: what the network would say if a place were hidden."""

from __future__ import annotations

import torch

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.attribution._covers import Filling, Size, Stride, corners, covered_runs, placement
from pellucid.net import Net
from pellucid.result import LabelMap, Meta


@method("Occlusion, label map", source="Zeiler & Fergus 2013, section 4.2, figure 7 (e)")
def occlusion_labels(
    net: Net, images: Images, *, size: Size = 32, stride: Stride = 16, fill: Filling = "grey"
) -> LabelMap:
    """The best guess when each place is covered: (N, rows, columns) class numbers at the covers' centres."""
    seen = net.see(images)
    height, width = seen.pixels.shape[-2:]
    rows, columns = (len(corners(n, size, stride)) for n in (height, width))
    maps = []
    for one in seen:
        runs = covered_runs(net, one.pixels, size, stride, fill, ())
        # One logit decides by its sign.
        best = [run.scores.argmax(1) if run.scores.shape[1] > 1 else (run.scores[:, 0] > 0).long() for run in runs]
        maps.append(torch.cat(best).view(1, rows, columns))
    values = torch.cat(maps).cpu().numpy()
    names = {int(index): net.class_name(int(index)) for index in sorted(set(values.ravel().tolist()))}
    return LabelMap(values, placement(height, width, size, stride), seen.views, names, Meta(notes=seen.notes))
