"""Guided integrated gradients: the way that moves first the pixels to which the score reacts least."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.progress import steps as counted
from pellucid.result import Heatmap
from pellucid.rng import Seed
from pellucid.saliency.backward import backward
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.integrals import Integral, mean_of, path_map
from pellucid.target import BEST, Target, fixed

_NEAR = 1e-9  # of the whole way: a step that has come so near its aim is done
_EQUAL = 100
"""Times the rounding of the network's numbers: gradients that differ by less are equal."""


@method(
    "Guided integrated gradients",
    purpose="integrate along a path of low gradients",
    shows=(
        "A positive pixel raises the score on the way from the baseline to the image, a negative one lowers it. A "
        "pixel of the baseline's color, by default black, gets nothing. The gradients that are summed also choose the "
        "way, so the sum usually misses the difference of the two scores by more than that of integrated gradients; "
        "the completeness error says by how much. About 200 forward and backward passes at the defaults, one after the "
        "other."
    ),
    source="Kapishnikov et al. 2021, section 4",
    quick={"steps": 60},
)
def guided_integrated_gradients(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    steps: Annotated[
        int, Field(ge=1, le=4096, description="number of steps of equal length, each with one gradient", examples=[50])
    ] = 200,
    fraction: Annotated[
        float | int,
        Field(gt=0, le=1, description="share of the values, those of the smallest gradients, that move together"),
    ] = 0.25,
    distance: Annotated[
        float | int,
        Field(
            ge=0,
            le=1,
            description="maximum distance from the straight path, as a share of its length; 0 is the straight path",
        ),
    ] = 0.02,
    baseline: Annotated[
        BaselineLike,
        Field(
            description="image at which the path begins: a named fill, or images of your own, over which the maps are "
            "averaged"
        ),
    ] = "black",
    quadrature: Annotated[
        Literal["trapezoid", "left"],
        Field(description="gradient of a step: mean of its two ends, or, as in the authors' code, that of its start"),
    ] = "trapezoid",
    seed: Seed = 0,
) -> Heatmap:
    """Σ over steps of the pixels' moves × gradient, on a way that avoids high gradients: (N, H, W), signed.

    Every step brings the image nearer to the image by the same sum of |moves|. Those values of pixels move first
    whose gradient is smallest in magnitude, none of them further than `distance` from its place on the straight
    way. In units of the score; the map sums to the score less the baseline's, up to the error of the steps, which
    `Meta.completeness` holds; it falls slowly, as the same gradients choose the way and are summed on it. `seed` is
    that of a baseline of noise.
    """
    prepared = net.prepare(images)
    found = []
    for one in prepared:
        asked = fixed(target, net.run(one.pixels, layers=target.layers))
        starts = baseline_of(net, one, baseline, seed).split(1)
        how = (steps, float(fraction), float(distance), quadrature)
        found.append(mean_of([_walked(net, one.pixels, start, asked, *how) for start in starts]))
    return path_map(net, prepared, target, found, 0.01)


def _walked(
    net: Net,
    pixels: Tensor,
    start: Tensor,
    target: Target,
    steps: int,
    fraction: float,
    distance: float,
    quadrature: str,
) -> Integral:
    """The integral on the guided way from one baseline."""
    begin, move = start.double(), pixels.double() - start.double()
    width, done = move.abs(), torch.zeros_like(move)
    share = torch.zeros_like(move[0, 0])
    here = backward(net, begin.to(pixels), target)
    first, rounding = float(here.scores.double()), torch.finfo(here.gradient.dtype).eps
    for step in counted(range(1, steps + 1), "guided integrated gradients"):
        gradient = here.gradient.double().to(move.device)
        after = advanced(done, gradient.abs(), width, step / steps, fraction, distance, _EQUAL * rounding)
        here = backward(net, (begin + after * move).to(pixels), target)
        if quadrature == "trapezoid":
            gradient = (gradient + here.gradient.double().to(move.device)) / 2
        share += ((after - done) * move * gradient).sum((0, 1))
        done = after
    last = float(here.scores.double())
    return Integral(share, last, last - first, steps + 1, asked=target)


def advanced(
    done: Float[Tensor, "1 c h w"],
    gradient: Float[Tensor, "1 c h w"],
    width: Float[Tensor, "1 c h w"],
    place: float,
    fraction: float,
    distance: float,
    equal: float = 0.0,
) -> Float[Tensor, "1 c h w"]:
    """How much of its way each value has gone when the image has gone `place` of the whole, both in 0..1.

    `done` is how much before, `gradient` the magnitudes that decide who moves, `width` the length of each way. Values
    whose gradients differ by less than `equal` × the largest move together: a network that is linear in places has many
    equal ones, and rounding, which is another on each device, must not choose between them.
    """
    if place == 1:
        return torch.ones_like(done)
    low, high = max(place - distance, 0.0), min(place + distance, 1.0)
    done, whole = done.clamp(min=low), float(width.sum())
    while (missing := float((width * (1 - done)).sum()) - whole * (1 - place)) > _NEAR * whole:
        able = (done < high) & (width > 0) & gradient.isfinite()
        if not able.any():
            break  # rounding alone is missing: all stand at the limit
        lowest = gradient[able]
        # A share of all values, not of those that can still move: as many at a time, until fewer are left.
        at = min(int(fraction * (gradient.numel() - 1)) + 1, len(lowest))
        chosen = able & (gradient <= lowest.kthvalue(at).values + equal * lowest.max())
        reach = float((width * (high - done))[chosen].sum())
        done = torch.where(chosen, done + min(missing / reach, 1.0) * (high - done), done)
    return done
