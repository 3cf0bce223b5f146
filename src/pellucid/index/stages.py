"""Which layers an index has: all with weights, as what comes after receives them, and the stages of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from pellucid.net import Layer, Net
from pellucid.net.handed_on import handed_on
from pellucid.rng import generator


def usual(net: Net, size: tuple[int, int] | None = None) -> tuple[tuple[str, ...], dict[str, str]]:
    """The layers that an index has unless told otherwise, and other names for some of them.

    `handed_on`, and the outputs of the network's stages (layer4, blocks.6), which sums of branches may end. Where a
    stage's output is that of a layer in it, they are one layer, under the name of the stage.
    """
    size = size or net.size
    table = net.layers(size)
    names = list(handed_on(table.rows))
    rows = {row.name: row for row in table.rows}
    stages = [one for one in _stages(rows, names) if one not in names and len(rows[one].shape) == 3]
    found = on_noise(net, [*names, *stages], size)
    aliases: dict[str, str] = {}
    for stage in stages:
        inside = [i for i, name in enumerate(names) if name.startswith(f"{stage}.")]
        same = [i for i in inside if torch.equal(found[names[i]], found[stage])]
        if same:
            aliases[names[same[-1]]] = stage
            names[same[-1]] = stage
        else:
            names.insert(inside[-1] + 1, stage)
    return tuple(names), aliases


def on_noise(net: Net, names: Sequence[str], size: tuple[int, int]) -> dict[str, Tensor]:
    """What layers make of one image of noise."""
    with torch.no_grad():
        run = net.run(noise(net, size), layers=names)
    return {name: run.at[name] for name in names}


def noise(net: Net, size: tuple[int, int]) -> Tensor:
    shape = (1, net.preprocess.channels or 3, *size)
    return torch.from_numpy(generator(0, "noise").random(shape, np.float32))


def _stages(rows: Mapping[str, Layer], names: Sequence[str]) -> list[str]:
    """The parts of the network that hold several of the layers, but no more than half: layer1 to layer4, blocks.0 …"""
    parts = [name for name in rows if sum(one.startswith(f"{name}.") for one in names) > 1]
    large = {name for name in parts if sum(one.startswith(f"{name}.") for one in names) > len(names) / 2}
    return [name for name in parts if name not in large and name.rpartition(".")[0] in {"", *large}]
