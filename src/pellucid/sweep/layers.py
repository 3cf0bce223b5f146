"""The layers that a sweep looks at, and all their units, numbered through."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import unknown
from pellucid.geometry import Placement
from pellucid.net.clips import Clip


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
    signed: tuple[bool, ...] = ()
    """Whether a layer's activations can be negative: only then do its weakest images say anything."""
    clips: tuple[Clip | None, ...] = ()
    """Of each layer that ends in an activation with a ceiling: which. Its units are ranked by what that receives."""

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Units:
        """From plain lists, as JSON gives them back."""
        placements = tuple(None if one is None else _placement(one) for one in said["placements"])
        clips = tuple(None if one is None else Clip(**one) for one in said["clips"])
        places = tuple((int(rows), int(columns)) for rows, columns in said["places"])
        return cls(
            tuple(said["layers"]),
            tuple(said["channels"]),
            places,
            placements,
            dict(said["aliases"]),
            tuple(said["signed"]),
            clips,
        )

    def __len__(self) -> int:
        return self._firsts[-1]

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        return (0, *accumulate(self.channels))

    def first(self, layer: int) -> int:
        """The number of the first unit of a layer."""
        return self._firsts[layer]

    def span(self, layer: int) -> slice:
        """Which of all units are those of a layer."""
        return slice(self._firsts[layer], self._firsts[layer + 1])

    def layer_of(self, unit: int) -> int:
        """The number of the layer that a unit is of."""
        return bisect_right(self._firsts, unit) - 1

    def of(self, layers: Sequence[str]) -> NDArray[np.int64]:
        """The numbers of all units of these layers."""
        which = [self.layer(name) for name in layers]
        spans = [np.arange(self._firsts[i], self._firsts[i + 1]) for i in which]
        return np.concatenate([np.zeros(0, np.int64), *spans])

    def layer(self, name: str) -> int:
        """The number of a layer, by its name or another name of it. Raises UnknownName with the nearest."""
        known = self.aliases.get(name, name)
        if known not in self.layers:
            raise unknown("layer in the index", name, self.layers)
        return self.layers.index(known)

    def named(self, layers: Sequence[str]) -> tuple[str, ...]:
        """Layers by the names that they have here. Raises UnknownName."""
        return tuple(self.layers[self.layer(name)] for name in layers)

    @property
    def before_head(self) -> str:
        """What the classifier reads: the layer before the last, where that has no places; else the last."""
        flat = self.places[-1] == (1, 1) and not (self.placements and self.placements[-1] is not None)
        return self.layers[-2 if flat and len(self.layers) > 1 else -1]

    def clip(self, layer: int) -> Clip | None:
        """What cuts the activations of a layer off."""
        return self.clips[layer] if self.clips else None

    def bounded(self, received: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., units) activations, from what the activations that cut them off received."""
        if not any(self.clips):
            return received
        found = received.copy()
        for i, clip in enumerate(self.clips):
            if clip is not None:
                mine = slice(self._firsts[i], self._firsts[i + 1])
                found[..., mine] = clip(found[..., mine])
        return found


def _placement(said: Mapping[str, Any]) -> Placement:
    pairs: dict[str, Any] = {name: tuple(said[name]) for name in ("start", "jump", "field")}
    grid = said["grid"]
    local = said.get("local")  # indexes of former versions do not have it
    return Placement(
        **pairs,
        exact=said["exact"],
        grid=None if grid is None else (tuple(grid[0]), tuple(grid[1])),
        local=None if local is None else tuple(local),
    )
