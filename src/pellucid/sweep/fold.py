"""One statistic of every unit over many pictures: start, step, merge, finish; exact in any order.

Whatever a fold adds up is an integer, and whatever it selects is selected by a total order, so that the same
pictures give the same bits whichever batch, shard, worker or order they came in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
    signed: tuple[bool, ...] = ()
    """Whether a layer's activations can be negative: only then do its weakest pictures say anything."""
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

    def number(self, layer: str, channel: int) -> int:
        """The number of one unit."""
        return self.first(self.layer(layer)) + channel

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


@dataclass(frozen=True, eq=False)
class Events:
    """Maps that were searched because they may be among a unit's best: picture of the batch, unit, place in the map."""

    row: NDArray[np.int64]
    unit: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """What was taken down of a few pictures.

    `maxima` (N, units) are the largest activations over places, and `ranked` those of what they are ranked by: where
    an activation has a ceiling, what it received; `negated` those of that with its sign turned. All are −inf where an
    activation is not finite (and `negated` where nobody asked). `means` (N, units) are the means over places; `sampled`
    (N, samples, units) the activations at random places.
    """

    images: NDArray[np.int64]
    """Numbers of the pictures in their source."""
    labels: NDArray[np.int64]
    """Their classes, -1 where unknown."""
    maxima: NDArray[np.float32]
    ranked: NDArray[np.float32]
    negated: NDArray[np.float32]
    means: NDArray[np.float32]
    sampled: NDArray[np.float32]
    found: Mapping[str, Events]
    """By the name of the fold whose gate they passed."""
    hashes: NDArray[np.uint64] | None = None
    """(N,) of the pictures' bytes, as they were read."""


Working = dict[str, Any]
"""What a fold holds while it counts."""


class Fold(ABC):
    """One statistic. Its working form counts; its packed form is written, travels, and can be added in any order."""

    name: str

    @abstractmethod
    def start(self, units: Units) -> Working:
        """Nothing seen yet."""

    @abstractmethod
    def step(self, working: Working, units: Units, batch: Batch) -> None:
        """Take a batch in."""

    @abstractmethod
    def pack(self, units: Units, working: Working) -> Part:
        """As it is written: small, and nothing but arrays."""

    @abstractmethod
    def absorb(self, working: Working, units: Units, part: Part) -> None:
        """Take a packed part in; in whatever order they come, the bits are the same."""

    @abstractmethod
    def finish(self, units: Units, working: Working) -> Part:
        """What is read from the index."""

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        """Both parts as one; associative, commutative, exact."""
        working = self.start(units)
        self.absorb(working, units, a)
        self.absorb(working, units, b)
        return self.pack(units, working)

    def gate(self, working: Working, images: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """(N, units): below it an activation of these pictures cannot matter to this fold; None: it does not search."""
        return None


class Rows(Fold):
    """What is kept of every picture: a row of numbers for each. The rows are written straight to where they are read,
    so that memory does not grow with their number.
    """

    @abstractmethod
    def columns(self, units: Units) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        """Arrays by name: (width, type)."""

    @abstractmethod
    def rows(self, units: Units, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        """(numbers of the pictures, their rows)."""

    @abstractmethod
    def height(self, images: int) -> int:
        """How many rows there are in all."""

    @abstractmethod
    def position(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which rows are those of these pictures."""

    def start(self, units: Units) -> Working:
        return {"image": [], **{name: [] for name in self.columns(units)}}

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        images, rows = self.rows(units, batch)
        if len(images):
            self.absorb(working, units, {"image": images, **rows})

    def pack(self, units: Units, working: Working) -> Part:
        images = np.concatenate([np.zeros(0, np.int64), *working["image"]])
        order = np.argsort(images)
        packed: Part = {"image": images[order]}
        for name, (width, kind) in self.columns(units).items():
            packed[name] = np.concatenate([np.zeros((0, width), kind), *working[name]])[order]
        return packed

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        for name, values in part.items():
            working[name].append(values)

    def finish(self, units: Units, working: Working) -> Part:
        return self.pack(units, working)
