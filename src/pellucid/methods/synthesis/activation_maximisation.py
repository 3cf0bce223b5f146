"""Activation maximisation: what a unit wants to see."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.chance import Seed
from pellucid.methods.synthesis._optimise import Each, eight_bits, framed, optimised, streams
from pellucid.methods.synthesis._recipe import LUCID, RecipeOption
from pellucid.net import Net
from pellucid.result import Meta, Pictures
from pellucid.target import Targets


@method("Activation maximisation", source="Erhan et al. 2009, section 3; Olah, Mordvintsev & Schubert 2017")
def activation_maximisation(
    net: Net,
    target: Targets,
    *,
    preset: Annotated[
        RecipeOption, Field(description="a published recipe, or one with parts of your own: lucid + tv(0.01)")
    ] = LUCID,
    steps: Annotated[int | None, Field(ge=1, description="of the optimisation; by default the recipe's")] = None,
    size: Annotated[int | None, Field(ge=8, description="side of the pictures; by default the network's own")] = None,
    seed: Seed = 0,
) -> Pictures:
    """The picture that excites each target most: (N, H, W, C) in 8 bits."""
    how = replace(preset, steps=steps or preset.steps)
    frame = framed(net, size, sum(one.room for one in how.transforms))
    pictures = optimised(net, Each(target.parts), how, frame, list(streams(seed, target.parts, 1)), what="synthesis")
    names = tuple(str(one.named(net)) for one in target)
    return Pictures(eight_bits(pictures), names, meta=Meta(notes=frame.notes))
