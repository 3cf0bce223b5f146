"""One statistic of every unit over many pictures: start, step, merge, finish; exact in any order.

Whatever a fold adds up is an integer, and whatever it selects is selected by a total order, so that the same
pictures give the same bits whichever batch, shard, worker or order they came in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import unknown
from pellucid.geometry import Placement

Part = dict[str, NDArray[Any]]
"""What a fold knows so far: named arrays, ready to be written."""


@dataclass(frozen=True)
class Units:
    """All units of the layers that are looked at, numbered through: layer by layer, channel by channel."""

    layers: tuple[str, ...]
    channels: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    """(rows, columns) of each layer's maps; (1, 1) for layers without places."""
    placements: tuple[Placement | None, ...] = ()
    """Where each layer's cells lie in the network's input; None for layers without places."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of some layers."""

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Units:
        """From plain lists, as JSON gives them back."""
        placements = tuple(None if one is None else _placement(one) for one in said["placements"])
        places = tuple((int(rows), int(columns)) for rows, columns in said["places"])
        return cls(tuple(said["layers"]), tuple(said["channels"]), places, placements, dict(said["aliases"]))

    def __len__(self) -> int:
        return sum(self.channels)

    def first(self, layer: int) -> int:
        """The number of the first unit of a layer."""
        return sum(self.channels[:layer])

    def layer(self, name: str) -> int:
        """The number of a layer, by its name or another name of it. Raises UnknownName with the nearest."""
        known = self.aliases.get(name, name)
        if known not in self.layers:
            raise unknown("layer in the index", name, self.layers)
        return self.layers.index(known)

    def number(self, layer: str, channel: int) -> int:
        """The number of one unit."""
        return self.first(self.layer(layer)) + channel


def _placement(said: Mapping[str, Any]) -> Placement:
    pairs: dict[str, Any] = {name: tuple(said[name]) for name in ("start", "jump", "field")}
    grid = said["grid"]
    return Placement(**pairs, exact=said["exact"], grid=None if grid is None else (tuple(grid[0]), tuple(grid[1])))


@dataclass(frozen=True, eq=False)
class Batch:
    """A few pictures, and what each layer did with them: `maps[layer]` is (N, channels, rows, columns), float32.

    `maxima` (N, units) are the largest activations over places, -inf where an activation is not finite; `means`
    (N, units) the means over places.
    """

    images: NDArray[np.int64]
    """Numbers of the pictures in their source."""
    labels: NDArray[np.int64]
    """Their classes, -1 where unknown."""
    maps: Sequence[Tensor]
    maxima: NDArray[np.float32]
    means: NDArray[np.float32]


class Fold(ABC):
    """One statistic."""

    name: str

    @abstractmethod
    def start(self, units: Units) -> Part:
        """Nothing seen yet."""

    @abstractmethod
    def step(self, part: Part, units: Units, batch: Batch) -> None:
        """Take a batch in: `part` is changed."""

    @abstractmethod
    def merge(self, units: Units, a: Part, b: Part) -> Part:
        """Both parts as one; associative, commutative, exact."""

    def settle(self, units: Units, part: Part) -> Part:
        """The part as it is written: what was kept aside is put in its place."""
        return part

    def finish(self, units: Units, part: Part) -> Part:
        """What is read from the index."""
        return part

    def facts(self) -> Mapping[str, object]:
        """What it was told: part of the index's identity."""
        return {}


def seen(found: Sequence[Tensor], images: NDArray[np.int64], labels: NDArray[np.int64]) -> Batch:
    """A batch from the activations of all layers; those without places are given one."""
    maps, maxima, means = [], [], []
    for activation in found:
        flat = activation.detach().float()
        flat = (
            flat
            if flat.dim() == 4
            else flat.reshape(*flat.shape[:2], -1, 1)
            if flat.dim() > 2
            else flat[..., None, None]
        )
        high, mean = flat.amax((2, 3)), flat.mean((2, 3))
        maps.append(flat)
        maxima.append(torch.where(torch.isfinite(mean), high, -torch.inf))
        means.append(mean)
    return Batch(images, labels, maps, torch.cat(maxima, 1).cpu().numpy(), torch.cat(means, 1).cpu().numpy())
