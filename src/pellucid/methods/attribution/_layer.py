"""What class-map methods share: the layer whose maps are weighted, its place, and the gradient at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.geometry import Placement, between
from pellucid.images import Images
from pellucid.methods.attribution._skeleton import derivative
from pellucid.net import Net
from pellucid.target import Target


@dataclass(frozen=True)
class Chosen:
    """The layer whose maps are weighted, where its cells lie, and why this one."""

    name: str
    placement: Placement
    note: tuple[str, ...]


def chosen_layer(
    net: Net, seen: Images, target: Target, layer: str | None, placement: Literal["field", "stretch"]
) -> Chosen:
    """The named layer, or the last with places that the target can depend on; Refused where it cannot serve."""
    height, width = seen.pixels.shape[-2:]
    table = net.layers((height, width))
    row = table[layer] if layer is not None else table.last_map(before=target.layers)
    if row is None:
        raise Refused(f"no layer of {net.name} has a map with more than one cell for an input of {height} × {width}")
    if len(row.shape) != 3:
        maps = [r.name for r in table.rows if r.spatial]
        shape = "×".join(map(str, row.shape))
        raise Refused(
            f"layer {row.name!r} gives {shape} numbers, no maps of places; the last with maps is {maps[-1]!r}"
        )
    note = () if layer is not None else (f"layer {row.name}: the last one that still has places",)
    if placement == "field" and row.placement is not None:
        return Chosen(row.name, row.placement, note)
    if placement == "field":
        why = f"its place could not be followed through {', '.join(table.unplaced) or 'the network'}"
        note = (*note, f"layer {row.name} is stretched over the picture: {why}")
    field = row.placement.field if row.placement else None
    return Chosen(row.name, Placement.stretched(*row.shape[1:], height, width, field), note)


def at_pixels(maps: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """Maps (…, rows, columns) read at every pixel of an input of `size`: (…, height, width), linear between cells."""
    centres = placement.centres(maps.shape[-2], maps.shape[-1])
    rows, columns = (
        maps.new_tensor(between(at, np.arange(n, dtype=np.float64))) for at, n in zip(centres, size, strict=True)
    )
    return rows @ maps @ columns.T


def activation_gradients(
    net: Net, pixels: Float[Tensor, "n c h w"], target: Target, layer: str
) -> tuple[Float[Tensor, "n k rows columns"], Float[Tensor, "n k rows columns"], Float[Tensor, " n"]]:
    """(activation, d score / d activation, scores) of one layer."""
    with torch.enable_grad():
        run = net.run(pixels, at=[layer, *target.layers], grad=True)
        scores, (gradient,) = derivative(run, [run[layer]], target, f"layer {layer!r}")
    return run[layer].detach(), gradient, scores
