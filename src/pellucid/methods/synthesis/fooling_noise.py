"""Fooling images: noise that the network is sure about."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.render.adversarial import LEVELS, file_of, fooled, levels_of, of_a_class, probability_of, saved
from pellucid.render.sizes import native_size
from pellucid.render.trust import judged
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed, generator
from pellucid.target import Probability, Target, Top


@method(
    "Fooling noise",
    purpose="make noise that the network takes for a class",
    shows=(
        "A high probability means that the network can be sure of a class where there is nothing to be seen. The image "
        "does not show what the class looks like to the network, and one success does not say how often natural images "
        "mislead it; the trust tells whether the answer survives a shift. At most about 200 forward and backward "
        "passes at the defaults, fewer where the probability is reached, and some twenty forward passes to judge the "
        "image."
    ),
    source="Nguyen, Yosinski & Clune 2015, sections 3.3 and 3.7",
)
def fooling_noise(
    net: Net,
    target: Target,
    *,
    noise: Annotated[
        float | int,
        Field(
            ge=0,
            le=1,
            description="standard deviation of the noise at the start, in pixel values from 0 to 1; 0 starts from "
            "plain gray",
        ),
    ] = 0.2,
    probability: Annotated[
        float | int,
        Field(gt=0, lt=1, description="probability of the class at which to stop, measured on the image as saved"),
    ] = 0.99,
    steps: Annotated[int, Field(ge=1, description="maximum number of steps")] = 200,
    rate: Annotated[
        float | int, Field(gt=0, description="mean change of a pixel value in one step, in units of 1/255")
    ] = 1,
    size: Annotated[
        int | None, Field(ge=8, description="side of the image, in pixels"), Default("the network's input size")
    ] = None,
    seed: Seed = 0,
) -> Pictures:
    """A picture of noise that the network takes for the target class: (N, H, W, C), N = 1.

    It starts as N(0.5, noise²) in every value and climbs the log odds of the class as `fooling` does, but as far as
    it likes. Nothing makes it look like anything: a confident answer is no sign that a network has seen something.
    Facts: the probability on the saved 8-bit file and at the start, the root mean square of the change, of 255, and
    the steps. The trust says whether the answer survives a shift of 4 pixels. A class that is not reached is said
    in the notes.
    """
    if isinstance(target, Top):
        raise Refused(f"{target}: noise has no first guess to begin with: say which class")
    high, wide = native_size(net) if size is None else (size, size)
    shape = (net.preprocess.channels or 3, high, wide)
    drawn = 0.5 + noise * generator(seed, "fooling_noise", "start").standard_normal(shape)
    levels = levels_of(torch.from_numpy(drawn))
    asked = of_a_class(net, target, saved(levels))
    before = probability_of(net, levels, asked)
    found = fooled(
        net, levels, asked, probability=probability, most=steps, rate=rate, bound=lambda step: LEVELS,
        what="fooling noise",
    )  # fmt: skip
    called = net.class_name(int(asked.of_class))
    notes = []
    if found.probability < probability:
        notes.append(
            f"not reached: {called} has a probability of {found.probability:.3g}, not {probability:g}, after {steps} "
            "steps"
        )
    facts = {
        "probability": (found.probability,),
        "probability before": (before,),
        "RMS change of 255": (float((found.levels.double() - levels).square().mean().sqrt()),),
        "steps": (float(found.taken),),
    }
    pixels = file_of(found.levels)[None]
    trust = judged(net, pixels, [Probability(asked.of_class)])
    return Pictures(pixels, (called,), facts, trust, meta=Meta(notes=Note.many("values", notes)))
