"""Which layers of a network to ask: those that end a stage, the widest, one half-way up."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pellucid.errors import PellucidError, Refused
from pellucid.net import Layer, Net
from pellucid.render.pixels import Size


def stages(net: Net, size: Size | None = None) -> dict[int, str]:
    """For each octave of resolution the last stage that has it: {1: 'act1', 2: 'blocks.1', …}, from fine to coarse.

    Stages are the layers with the shortest names.
    """
    table = net.layers(size)
    levels: dict[int, list[str]] = {}
    for row in table.rows:
        if row.spatial:
            levels.setdefault(round(math.log2(table.size[0] / row.shape[1])), []).append(row.name)
    if not levels:
        raise PellucidError(f"{net.name} has no layer with maps: name the layers")
    least = {level: min(name.count(".") for name in names) for level, names in levels.items()}
    return {k: next(n for n in reversed(levels[k]) if n.count(".") == least[k]) for k in sorted(levels)}


def known(net: Net, layers: Sequence[str], size: Size, *, maps: bool = False) -> tuple[Layer, ...]:
    """The rows of the layers asked for, each once. Raises UnknownName; PellucidError for none; Refused for no maps."""
    table = net.layers(size)
    rows = tuple({table[layer].name: table[layer] for layer in layers}.values())
    if not rows:
        raise PellucidError(f"layers={tuple(layers)!r}: no layer is named")
    for row in rows:
        if maps and not row.mapped:
            raise Refused(
                f"layer {row.name!r} gives {'×'.join(map(str, row.shape))} numbers, no maps: it has no texture"
            )
    return rows


def widest(net: Net, size: Size | None = None) -> tuple[str, ...]:
    """Of each octave of resolution but the coarsest the layer with the most features, and of several the last.

    In networks that widen and narrow again, such as the bundled one, texture is told apart by the wide layers; what
    they are reduced to between them says little.
    """
    octaves: dict[int, tuple[int, str]] = {}
    for row in net.layers(size).rows:
        if row.spatial and row.shape[0] >= octaves.get(row.shape[1], (0, ""))[0]:
            octaves[row.shape[1]] = row.shape[0], row.name
    names = [name for _, name in octaves.values()]
    if not names:
        raise Refused(f"{net.name} has no layer with maps: it sees no texture")
    return tuple(names[: max(len(names) - 1, 1)])


def middle(net: Net) -> str:
    """A layer half-way up: the last stage whose maps are twice as fine as the network's coarsest."""
    return list(stages(net).values())[-2:][0]
