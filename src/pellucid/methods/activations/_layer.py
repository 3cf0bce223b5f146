"""What the methods about activations share: a layer with maps, and its activations chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Layer, Net
from pellucid.notes import Note
from pellucid.progress import steps

Activation = Float[Tensor, "n units rows columns"]


def map_layer(net: Net, seen: Images, layer: str | None) -> tuple[Layer, Placement, tuple[Note, ...]]:
    """The layer asked for, by default the last with places; where its cells lie; what was decided.

    Raises UnknownName, and Refused for a layer without maps.
    """
    height, width = seen.pictures[0].shape[-2:]
    table = net.layers((height, width))
    row = net.layer(layer, of=seen.pixels[:1]) if layer is not None else table.last_map()
    if row is None:
        raise Refused(f"no layer of {net.name} has a map with more than one cell for an input of {height} × {width}")
    if not row.mapped:
        raise Refused(table.no_maps(row))
    last = f"layer {row.name}: the last one with spatial maps, chosen automatically"
    notes = () if layer is not None else (Note("choice", last),)
    if row.placement is not None:
        return row, row.placement, notes
    why = f"its place could not be followed through {', '.join(table.unplaced) or 'the network'}"
    placement = Placement.stretched(row.shape[1], row.shape[2], height, width)
    return row, placement, (*notes, Note("reading", f"layer {row.name} is stretched over the image: {why}"))


def activations(net: Net, pixels: Float[Tensor, "n c h w"], layer: str) -> Iterator[Activation]:
    """The layer's maps, as many images at once as fit; no layer behind it runs."""
    # Live images come one by one: for one there is nothing to be found out.
    at_once = net.chunk((pixels.shape[-2], pixels.shape[-1]), grad=False) if len(pixels) > 1 else 1
    for part in steps(pixels.split(at_once), f"layer {layer}"):
        yield net.run(part, layers=[layer], stop=True)[layer]


def numbers(values: Tensor) -> np.ndarray:
    """As an array of their own; what numpy has no type for as float32."""
    return np.array((values.float() if values.dtype == torch.bfloat16 else values).cpu().numpy())


def known_units(units: int | tuple[int, ...], row: Layer) -> tuple[int, ...]:
    """The units asked for, each once. Raises PellucidError for one that the layer does not have."""
    asked = (units,) if isinstance(units, int) else units
    for unit in asked:
        if not 0 <= unit < row.shape[0]:
            raise PellucidError(f"no unit {unit} in layer {row.name!r}: it has 0 to {row.shape[0] - 1}")
    if not asked:
        raise PellucidError(f"units={asked}: no unit of layer {row.name!r} is named")
    return tuple(dict.fromkeys(asked))
