"""Frames: the size of the pictures, and what the network is shown of them at each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.errors import PellucidError
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.render.affine import Matrix, shifted, zoomed
from pellucid.render.pixels import Size
from pellucid.render.sizes import native_size, takes

_USUAL = (224, 224)


@dataclass(frozen=True)
class Frame:
    """The size of the pictures, and what the network is shown of them at each step.

    `zoom` enlarges where a network takes one size alone, `roam` is how far the window may wander to see all of a
    picture that is larger than it.
    """

    size: Size
    canvas: Size
    zoom: float = 1.0
    roam: tuple[int, int] = (0, 0)
    notes: tuple[Note, ...] = ()

    def matrix(self, chance: np.random.Generator) -> Matrix:
        """Where the network looks before any transform."""
        down, across = (chance.integers(0, free + 1) - free / 2 for free in self.roam)
        return zoomed(self.zoom) @ shifted(float(down), float(across))


def framed(net: Net, size: int | Size | None, room: int, *, cuts: bool = False) -> Frame:
    """The frame for pictures of that size, by default the network's own; `room` is what the transforms add to it.

    A picture of the native size is seen through the window that the preprocessing cuts, which wanders over it; of
    another size it is seen whole, as large as it is where the network takes that, else enlarged or reduced. Where
    the transforms cut parts out of it, each part is shown as large as the network's own input.
    """
    window = net.preprocess.size
    whole = native_size(net) if size is None else (size, size) if isinstance(size, int) else size
    if cuts:
        window = window or (min(whole[0], _USUAL[0]), min(whole[1], _USUAL[1]))
        return Frame(whole, window, min(window[0] / whole[0], window[1] / whole[1]))
    if size is None:
        window = window or whole
        # as far past the edge as the transforms pad: else the border, which few windows reach, stays gray
        past = max(room, 0)
        return Frame(whole, window, roam=(max(whole[0] - window[0], 0) + past, max(whole[1] - window[1], 0) + past))
    canvas = (whole[0] + room, whole[1] + room)
    if min(canvas) < 1:
        raise PellucidError(f"size={whole[0]}×{whole[1]}: the transforms take {-room} pixels of it, nothing is left")
    if window is not None and not takes(net, canvas):
        zoom = min(window[0] / canvas[0], window[1] / canvas[1])
        note = f"{net.name} takes no input of {canvas[0]}×{canvas[1]}: it sees the pictures {zoom:.3g} times as large"
        return Frame(whole, window, zoom, notes=(Note("input", note),))
    return Frame(whole, canvas)
