"""Pictures of directions and units, small and quick, as parts of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from pellucid.net import Net
from pellucid.render.frame import framed
from pellucid.render.objectives import Each
from pellucid.render.pixels import eight_bits
from pellucid.render.recipes import BEST
from pellucid.render.render import optimized
from pellucid.target import Target

SIDE = 112
"""Pixels: as large as pages show them."""


def pictures_of(
    net: Net, targets: Sequence[Target], steps: int, seed: int = 0, *, side: int = SIDE, what: str = "pictures"
) -> UInt8[np.ndarray, "n h w c"]:
    """A picture that excites each of the targets, by the default recipe with so many steps.

    Each starts from random numbers of its own, by its name and by how many before it have the same.
    """
    how = replace(BEST, steps=steps)
    frame = framed(net, side, how.room, cuts=how.cuts)
    names = [str(target) for target in targets]
    chance = [(seed, name, names[:i].count(name)) for i, name in enumerate(names)]
    return eight_bits(optimized(net, Each(tuple(targets)), how, frame, chance, what=what))
