"""Blur integrated gradients: the way on which a blurred image becomes sharp."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.perturb import blurred
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.integrals import path_map
from pellucid.saliency.paths import Path, by_rule, refined
from pellucid.target import BEST, Target, fixed


@method(
    "Blur integrated gradients",
    purpose="integrate gradients from a blurred image",
    shows=(
        "A positive pixel raises the score as the image becomes sharp, a negative one lowers it; all pixels sum to the "
        "score less that of the blurred image. Even areas get almost nothing, because blurring leaves them as they "
        "are, and a right sum does not make every single pixel right. Up to about 500 forward and backward passes, as "
        "many as the sum needs, each on a blurred copy, and up to half as many forward passes to check it."
    ),
    source="Xu, Venugopalan & Sundararajan 2020, section 3",
    quick={"steps": 56},
)
def blur_integrated_gradients(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    sigma: Annotated[
        float | int,
        Field(
            gt=0,
            description="standard deviation of the blur at the start of the path, in pixels of the network's input",
        ),
    ] = 50,
    steps: Annotated[
        int,
        Field(
            ge=1,
            le=4096,
            description="number of gradients; the maximum with adaptive spacing, else the exact number",
            examples=[128],
        ),
    ] = 512,
    tolerance: Annotated[
        float | int,
        Field(
            ge=0,
            le=1,
            description="largest error of the sum, as a share of the change of the score, at which adaptive steps stop",
        ),
    ] = 0.01,
    spacing: Annotated[
        Literal["adaptive", "linear", "sqrt"],
        Field(
            description="spacing of the steps: where the sum is wrong, equal in sigma, or equal in the square root of "
            "scale, as in the paper"
        ),
    ] = "adaptive",
) -> Heatmap:
    """Σ of (what a step of sharpening adds to a pixel) × gradient there: (N, H, W), signed, in units of the score.

    The way leads from the image blurred by `sigma` to the image itself, through all blurs between; edges are
    mirrored. No color stands for nothing: what is explained is what the detail adds. The map sums to the score less
    that of the blurred image, up to the error of the steps, which `Meta.completeness` holds; a right sum does not
    prove every pixel right.
    """
    prepared = net.prepare(images)
    found = []
    for one in prepared:
        asked = fixed(target, net.run(one.pixels, layers=target.layers))
        way = Path(net, asked, _sharpening(one.pixels, sigma, spacing), one.pixels, "blur integrated gradients")
        if spacing == "adaptive":
            found.append(refined(way, steps, tolerance))
        else:
            found.append(by_rule(way, steps, "midpoint"))
    return path_map(net, prepared, target, found, tolerance if spacing == "adaptive" else 0.01)


def _sharpening(pixels: Tensor, sigma: float | int, spacing: str) -> Callable[[Tensor], Tensor]:
    """Place 0 is blurred by `sigma`, place 1 sharp."""
    sharp = pixels.double()

    def at(places: Tensor) -> Tensor:
        left = [max(1 - place, 0.0) for place in places.tolist()]
        return torch.cat([blurred(sharp, sigma * (math.sqrt(much) if spacing == "sqrt" else much)) for much in left])

    return at
