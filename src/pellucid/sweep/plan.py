"""What a sweep is, as a value: which network looks at which pictures, what is kept, and how the work is cut.

It travels as plain JSON: paths, names and numbers, never a live network. Whoever works on a shard opens network and
source again from it, and finds out by their hashes whether they are still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.chance import generator
from pellucid.sweep.fold import Fold, Units
from pellucid.sweep.folds.histogram import Histogram
from pellucid.sweep.folds.rows import ClassSums, Embeddings, Hashes, Probe
from pellucid.sweep.folds.sums import Moments
from pellucid.sweep.folds.top import Top

FORMAT = 2
"""Of shards and indexes: raised when the same plan would give other bits."""
FREE = ("net", "source", "batch")
"""What the numbers do not depend on."""


@dataclass(frozen=True)
class Piece:
    """Pictures `start` to `stop` of a shard: all of it, unless it had to be cut."""

    shard: int
    start: int
    stop: int
    floors: Mapping[str, NDArray[np.uint64]] | None = field(default=None, repr=False, compare=False)
    """Of folds that search, (units,): what need not be reported, because enough is known that comes before it."""


@dataclass(frozen=True)
class Plan:
    """A sweep over the pictures of a source."""

    net: Mapping[str, Any]
    """Arguments of `load`: spec, weights, size, …"""
    weights: str
    """SHA-256 of the network's weights."""
    preprocess: Mapping[str, Any]
    """Fields of the network's `Preprocess`."""
    source: str
    """`KIND:PLACE`"""
    images: int
    names: str
    """SHA-256 of the pictures' names."""
    labels: str
    """SHA-256 of the pictures' classes; empty where they have none."""
    units: Units
    embedded: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    """Layers whose maxima are kept of every picture."""
    classes: tuple[str, ...] = ()
    count: int = 100
    bottom: int = 10
    """Weakest pictures kept of every unit; 0: none."""
    probe: int = 10_000
    """Pictures in the probe."""
    samples: int = 4
    """Places of every map of which the histograms are made."""
    classed: tuple[str, ...] = ()
    """Layers whose means over the pictures of each class are kept."""
    at_once: int = 4
    """Pictures that go through the network together, filled up with black: libraries choose other kernels for other
    numbers, with other last bits. More would leave the cache, fewer pay more for every layer that is watched."""
    shard: int = 512
    batch: int = 16
    """Pictures that are read ahead together; the numbers do not depend on it, nor on the shards."""
    seed: int = 0
    dtype: str = "float32"
    device: str = "cpu"
    """Kind of device: each has kernels, and last bits, of its own."""
    size: tuple[int, int] = (224, 224)
    """(height, width) of the pictures as the network sees them; others are left out, and said to be."""
    format: int = FORMAT
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """SHA-256 of everything that the numbers depend on: where source and network lie is no part of it."""
        said = {name: value for name, value in self.as_dict().items() if name not in FREE}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """What is kept."""
        found: list[Fold] = [Top(self.count), Histogram(), Moments(self.samples), Embeddings(self.embedded), Hashes()]
        found += [Top(self.bottom, smallest=True)] if self.bottom else []
        found += [Embeddings(self.pooled, maxima=True)] if self.pooled else []
        found += [Probe(self.probed)] if self.probe else []
        found += [ClassSums(len(self.classes), self.classed)] if self.classes else []
        return tuple(found)

    @cached_property
    def probed(self) -> NDArray[np.int64]:
        """The pictures of the probe, sorted."""
        return np.sort(self._order[: self.probe])

    @property
    def averaged(self) -> frozenset[str]:
        """Layers whose mean over all places is taken."""
        return frozenset((*self.embedded, *self.classed))

    def above(self, floors: Mapping[str, NDArray[np.uint64]] | None) -> tuple[Fold, ...]:
        """The folds, told what need not be reported."""
        known = floors or {}
        return tuple(replace(one, floor=known.get(one.name)) if isinstance(one, Top) else one for one in self.folds)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """All pictures in a seeded order: class-sorted sources cannot break the bounds then."""
        return generator(self.seed, "order").permutation(self.images).astype(np.int64)

    @property
    def shards(self) -> int:
        """Into how many parts the work is cut."""
        return -(-self.images // self.shard)

    def members(self, shard: int) -> NDArray[np.int64]:
        """The pictures of one shard, in the seeded order."""
        return self._order[shard * self.shard : (shard + 1) * self.shard]

    def piece(self, shard: int) -> Piece:
        """All of a shard."""
        return Piece(shard, 0, min(self.shard, self.images - shard * self.shard))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Plan:
        """The inverse of `as_dict`."""
        kept = Units.from_dict(said["units"])
        lists = {name: tuple(said[name]) for name in ("embedded", "pooled", "classes", "classed")}
        size = (int(said["size"][0]), int(said["size"][1]))
        return cls(**{**said, "units": kept, "size": size, **lists})

    def __getstate__(self) -> dict[str, Any]:
        """What travels: not what was made of it, such as the order of all pictures."""
        return {one.name: getattr(self, one.name) for one in fields(self)}
