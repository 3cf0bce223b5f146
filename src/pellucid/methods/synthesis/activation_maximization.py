"""Activation maximization: what a unit wants to see."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.net import Net
from pellucid.render.frame import framed
from pellucid.render.objectives import Each, answerable, streams
from pellucid.render.options import Preset, Side, Steps
from pellucid.render.photos import Real
from pellucid.render.pixels import eight_bits, through
from pellucid.render.recipes import BEST
from pellucid.render.render import optimized
from pellucid.render.trust import trusted
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed
from pellucid.target import Targets


@method(
    "Activation maximization",
    purpose="make an image that excites a class or a unit",
    shows=(
        "What recurs in images from several starts is what the target responds to. Colors, layout and background are "
        "left to chance and to the recipe, a unit may respond to things that one image does not show, and a high "
        "activation may be that of adversarial noise: the trust says how much is left after a shift. At the default "
        "recipe 256 forward and backward passes for each image, then some twenty forward passes to judge it."
    ),
    source="Erhan et al. 2009, section 3; Olah, Mordvintsev & Schubert 2017",
)
def activation_maximization(
    net: Net,
    target: Targets,
    *,
    recipe: Preset = BEST,
    steps: Steps = None,
    size: Side = None,
    count: Annotated[
        int, Field(ge=1, description="number of images for each target, each from a random start of its own")
    ] = 1,
    seed: Seed = 0,
    real: Annotated[
        Real | None,
        Field(description="real photos that the images are compared with: a folder, or one image"),
        Default("none"),
    ] = None,
) -> Pictures:
    """The picture that excites each target most: (N, H, W, C) in 8 bits, `count` of them for each of the targets.

    Each carries its trust, measured on its 8 bits through the network's own preprocessing: how its activation
    compares with that of the best of the `real` photos, whether it survives small touches, the unit's rank among
    its layer's channels, and, with a `count` of several, how alike they are to the network. Without `real` what
    needs real photos is unknown, and said to be.
    """
    answerable(net, target)
    how = replace(recipe, steps=steps or recipe.steps)
    frame = framed(net, size, how.room, cuts=how.cuts)
    targets = tuple(one for one in target for _ in range(count))
    chance = list(streams(seed, target.parts, count))
    credit: list[Tensor] | None = [] if how.credit else None
    pixels = eight_bits(optimized(net, Each(targets), how, frame, chance, what="synthesis", credit=credit))
    beside = {} if credit is None else {"as far as it mattered": through(pixels, torch.cat(credit))}
    names = [str(one.named(net)) for one in target]
    if count > 1:
        names = [f"{name}, {i + 1} of {count}" for name in names for i in range(count)]
    made = Pictures(pixels, tuple(names), beside=beside, meta=Meta(notes=frame.notes))
    return trusted(made, net, targets, real)
