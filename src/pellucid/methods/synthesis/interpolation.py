"""Interpolation: what lies between two units."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from jaxtyping import UInt8
from pydantic import BeforeValidator, Field, InstanceOf

from pellucid.catalogue import method
from pellucid.net import Net
from pellucid.render.aligned import Aligned
from pellucid.render.frame import framed
from pellucid.render.magnitude import Magnitude
from pellucid.render.objectives import Each, without_picture
from pellucid.render.options import Preset, Side, Steps
from pellucid.render.parametrizations import Fourier
from pellucid.render.pixels import eight_bits
from pellucid.render.recipes import BEST
from pellucid.render.render import optimized
from pellucid.render.trust import trusted
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed
from pellucid.target import Target, Targets


def _target(value: Target | str | int | None) -> Any:
    """For pydantic: what names a target becomes one, anything else is left for it to refuse."""
    return Target.of(value) if isinstance(value, (str, int)) else value


@method(
    "Interpolation",
    purpose="make a row of images from one target to another",
    shows=(
        "Read along the row: what changes is what tells the two targets apart, and the step says how far each image is "
        "from the one before. What stays in place is partly made so, because all images share their start and their "
        "coarse structure; and more of the row belongs to the target that has the larger numbers. At the defaults five "
        "images of 256 forward and backward passes each, and some twenty forward passes to judge each of them."
    ),
    source="Olah, Mordvintsev & Schubert 2017, section Interaction; Mordvintsev et al. 2018, section 1",
)
def interpolation(
    net: Net,
    target: Target,
    *,
    end: Annotated[
        InstanceOf[Target],
        BeforeValidator(_target),
        Field(description="target at the other end of the row", examples=["koala"]),
    ],
    count: Annotated[int, Field(ge=2, description="number of images in the row, including both ends")] = 5,
    recipe: Preset = BEST,
    steps: Steps = None,
    size: Side = None,
    seed: Seed = 0,
) -> Pictures:
    """From one target to another in a row of pictures: (N, H, W, C) in 8 bits, for (1 − t) · a + t · b, t from 0 to 1.

    All begin as the same noise and meet the same random touches, and what they have in common at low frequencies is
    one variable (unless the recipe moves single pixels): the row changes step by step, and what stays in its place
    is the same thing. Where one target has the larger numbers, more of the row belongs to it. The fact `step` is how
    far a picture is from the one before it, root mean square over pixels, as a share of the distance between the ends.
    """
    without_picture(Targets((target, end)))
    shares = [i / (count - 1) for i in range(count)]
    mixes = (target, *((1 - t) * target + t * end for t in shares[1:-1]), end)
    names = [f"{target.named(net)}", *(f"{t:.0%} of the way" for t in shares[1:-1]), f"{end.named(net)}"]
    image = Aligned(recipe.image) if isinstance(recipe.image, (Fourier, Magnitude)) else recipe.image
    how = replace(recipe, steps=steps or recipe.steps, image=image)
    frame = framed(net, size, how.room, cuts=how.cuts)
    chance = [(seed, str(target), str(end))] * count
    found = optimized(net, Each(mixes), how, frame, chance, what="interpolation", together=count)
    pixels = eight_bits(found)
    made = Pictures(pixels, tuple(names), {"step": _steps(pixels)}, columns=count, meta=Meta(notes=frame.notes))
    return trusted(made, net, mixes)


def _steps(pixels: UInt8[np.ndarray, "n h w c"]) -> tuple[float, ...]:
    """How far each picture is from the one before it, as a share of the distance from the first to the last."""
    values = pixels.astype(np.float64)
    far = float(np.sqrt(np.square(values[-1] - values[0]).mean())) or 1.0
    return (0.0, *(float(np.sqrt(np.square(b - a).mean())) / far for a, b in pairwise(values)))
