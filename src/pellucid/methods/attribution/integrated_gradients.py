"""Integrated gradients: the gradient averaged on the way from a baseline, shared out exactly."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.integrals import mean_of, path_map
from pellucid.saliency.paths import Path, by_rule, refined, straight
from pellucid.target import BEST, Target, fixed


@method(
    "Integrated gradients",
    purpose="integrate gradients from a baseline image",
    shows=(
        "A positive pixel raises the score on the way from the baseline to the image, a negative one lowers it; all "
        "pixels sum to the difference of the two scores. A pixel of the baseline's color gets nothing, so the default "
        "baseline, black, hides black things; and a right sum does not make every pixel right. Up to about 500 forward "
        "and backward passes, as many as the sum needs, and up to half as many forward passes to check it."
    ),
    source="Sundararajan, Taly & Yan 2017, equation 1",
    quick={"steps": 56},
)
def integrated_gradients(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    steps: Annotated[
        int,
        Field(
            ge=1,
            le=4096,
            description="number of gradients for each baseline; the maximum with adaptive quadrature, else the exact "
            "number",
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
    baseline: Annotated[
        BaselineLike,
        Field(
            description="baseline image: a named fill, or images of your own, over which the maps are averaged",
            examples=["blur"],
        ),
    ] = "black",
    quadrature: Annotated[
        Literal["adaptive", "gauss_legendre", "midpoint", "trapezoid"],
        Field(
            description="placing of the steps: adaptive refines where the sum is wrong, the others take a fixed number"
        ),
    ] = "adaptive",
    seed: Seed = 0,
) -> Heatmap:
    """(pixel − baseline) × mean gradient on the straight way between them: (N, H, W), signed, in units of the score.

    Summed over all pixels the map is the score minus the baseline's score (of several baselines their mean score),
    up to the quadrature's error: `Meta.completeness` holds it for every image, relative to that difference. A right
    sum does not prove that every pixel is right: of adaptive maps the notes say so where the last round of
    gradients, twice as many, still moved the map by more than a tenth. `seed` is that of a baseline of noise.
    """
    prepared = net.prepare(images)
    found = []
    for one in prepared:
        asked = fixed(target, net.run(one.pixels, layers=target.layers))
        starts = baseline_of(net, one, baseline, seed).split(1)
        ways = [Path(net, asked, straight(start, one.pixels), one.pixels, "integrated gradients") for start in starts]
        if quadrature == "adaptive":
            found.append(mean_of([refined(way, steps, tolerance) for way in ways]))
        else:
            found.append(mean_of([by_rule(way, steps, quadrature) for way in ways]))
    return path_map(net, prepared, target, found, tolerance if quadrature == "adaptive" else 0.01)
