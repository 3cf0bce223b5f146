"""XRAI: integrated gradients gathered into regions of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.images.perturb import filled
from pellucid.net import Net
from pellucid.net.remarks import far
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.integrals import mean_of, path_map
from pellucid.saliency.paths import Path, refined, straight
from pellucid.target import BEST, Target, fixed

_SIDE = 224  # the numbers of the paper are for images of this side; in larger ones regions grow with the image
_LEAST = 50  # pixels that a region must add


@method(
    "XRAI",
    purpose="rank whole regions by integrated gradients",
    shows=(
        "A pixel of a positive region raises the score as compared with black and white images, one of a negative "
        "region lowers it. All pixels of a region have one value, and its borders come from the colors of the image "
        "and not from the network, so a neat outline is no finding. Up to about 240 forward and backward passes at the "
        "defaults, about half as many forward passes to check the sums, and six segmentations of the image."
    ),
    source="Kapishnikov et al. 2019, section 3 and algorithm 1",
    quick={"steps": 24},
)
def xrai(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    steps: Annotated[int, Field(ge=1, le=4096, description="maximum number of gradients for each baseline")] = 128,
    tolerance: Annotated[
        float | int,
        Field(ge=0, le=1, description="largest error of a baseline's sum, as a share of the change of the score"),
    ] = 0.01,
    scales: Annotated[
        tuple[Annotated[float | int, Field(gt=0)], ...],
        Field(
            min_length=1,
            description="scales of the segmentation, for a 224 × 224 image; larger ones give larger regions",
        ),
    ] = (50, 100, 150, 250, 500, 1200),
    min_area: Annotated[
        int, Field(ge=1, description="smallest area of a region, in pixels of a 224 × 224 image")
    ] = 150,
    dilation: Annotated[
        int,
        Field(ge=0, description="width by which regions are dilated, in pixels of a 224 × 224 image"),
    ] = 5,
    region_value: Annotated[
        Literal["attribution", "rank"],
        Field(
            description="value of a region: mean attribution of its pixels, or its rank: the share of the image "
            "that it exceeds, itself included"
        ),
    ] = "attribution",
) -> Heatmap:
    """What each region of the image adds to the score, per pixel: (N, H, W), signed, in units of the score.

    Integrated gradients from black and from white are averaged; the image is cut by Felzenszwalb's method at six
    scales; then regions are added one after the other, always the one whose new pixels have the highest mean, and
    those pixels get that mean. The map sums to what integrated gradients sum to: the score less the mean score of
    black and white, up to `Meta.completeness`. Colors are summed, where the authors' code takes their maximum.
    """
    prepared = net.prepare(images)
    found, maps, notes = [], [], []
    for one in prepared:
        pixels = one.pixels
        asked = fixed(target, net.run(pixels, layers=target.layers))
        starts = (filled(pixels, "black"), filled(pixels, "white"))
        ways = [Path(net, asked, straight(start, pixels), pixels, "XRAI") for start in starts]
        found.append(mean_of([refined(way, steps, tolerance) for way in ways]))
        unit = (pixels.shape[-2] * pixels.shape[-1]) / _SIDE**2
        picture = pixels[0].detach().cpu().double().permute(1, 2, 0).numpy()
        regions = segments(picture, [s * unit for s in scales], max(round(min_area * unit), 1), dilation * unit**0.5)
        density, rank = gathered(found[-1].share.cpu().numpy(), regions, max(round(_LEAST * unit), 1))
        maps.append(torch.from_numpy(rank if region_value == "rank" else density))
        notes.append(Note("choice", f"{len(np.unique(rank))} regions out of {len(regions)} segments", one.ids[0]))
    notes += Note.many("input", far(net.preprocess, {"baseline": "white"}, advise=False))  # which is no option here
    look = {"unit": "share of the image", "signed": False} if region_value == "rank" else {}
    return path_map(net, prepared, target, found, tolerance, torch.stack(maps), tuple(notes), **look)


@dataclass(frozen=True, eq=False)
class Segment:
    """Pixels of an image: `mask` inside the box `where`."""

    where: tuple[slice, slice]
    mask: NDArray[np.bool_]


def segments(picture: Floats, scales: list[float | int], min_area: int, dilation: float | int) -> list[Segment]:
    """Felzenszwalb's segments of an image (H, W, C) at every scale, each widened by `dilation` pixels.

    More than three channels are no colors: their mean is cut.
    """
    from scipy import ndimage
    from skimage.segmentation import felzenszwalb

    picture = picture.mean(2, keepdims=True) if picture.shape[2] > 3 else picture
    low, high = picture.min(), picture.max()
    picture = (picture - low) * (2 / (high - low) if high > low else 1.0) - 1  # the range the scales are made for
    found, reach = [], int(dilation)
    for scale in scales:
        labels = felzenszwalb(picture, scale=scale, sigma=0.8, min_size=min_area, channel_axis=2)
        for label, box in enumerate(ndimage.find_objects(labels + 1)):
            where = tuple(slice(max(side.start - reach, 0), side.stop + reach) for side in box)
            mask = labels[where] == label
            if reach:
                mask = ndimage.distance_transform_edt(~mask) <= dilation
            found.append(Segment((where[0], where[1]), mask))
    return found


def gathered(share: Floats, regions: list[Segment], least: int) -> tuple[Floats, Floats]:
    """(the mean share of each pixel's region, how much of the image has no higher one), both (H, W).

    Greedy: of the regions that still add `least` pixels, the one whose new pixels have the highest mean is next.
    What no region takes is the last.
    """
    number, free = np.zeros(share.shape, int), np.ones(share.shape, bool)
    left, means = list(regions), []
    while left:
        adding = [(region, region.mask & free[region.where]) for region in left]
        adding = [(region, new) for region, new in adding if new.sum() >= least]
        if not adding:
            break
        gains = [share[region.where][new].mean() for region, new in adding]
        best, new = adding[int(np.argmax(gains))]
        means.append(max(gains))
        number[best.where][new] = len(means)
        free[best.where][new] = False
        left = [region for region, _ in adding if region is not best]
    if free.any():
        means.append(share[free].mean())
        number[free] = len(means)
    areas, order = np.bincount(number.ravel())[1:], np.argsort(means, kind="stable")
    after = np.empty(len(means))
    after[order] = areas[order].cumsum() / share.size
    return np.array(means)[number - 1], after[number - 1]
