"""What a sweep is, as a value: which network looks at which images, what is kept, and how the work is cut.

It travels as plain JSON: paths, names and numbers, never a live network. Whoever works on a shard opens network and
source again from it, and finds out by their hashes whether they are still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.plugins import FOLDS
from pellucid.sweep.fold import Fold, Scope
from pellucid.sweep.layers import Units
from pellucid.sweep.observed import Observes

FORMAT = 3
"""Of plans and shards, and of what is extracted from a pass: raised when the same plan would give other bits. Each fold
has a format of its own."""
FREE = ("net", "source", "batch")
"""What the numbers do not depend on."""


@dataclass(frozen=True)
class Piece:
    """Images `start` to `stop` of a shard: all of it, unless it had to be cut."""

    shard: int
    start: int
    stop: int
    floors: Mapping[str, NDArray[np.uint64]] | None = field(default=None, repr=False, compare=False)
    """Of folds that search, (units,): lower bounds; candidates below them can be skipped."""


@dataclass(frozen=True)
class Plan:
    """A sweep over the images of a source."""

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
    """SHA-256 of the images' names."""
    labels: str
    """SHA-256 of the images' classes; empty where they have none."""
    units: Units
    folds: tuple[Fold[Any], ...]
    """What is kept, each with its options; no two of one name."""
    classes: tuple[str, ...] = ()
    at_once: int = 4
    """Images that go through the network together, filled up with black: libraries choose other kernels for other
    numbers, with other last bits. More would leave the cache, fewer pay more for every layer that is watched."""
    shard: int = 512
    batch: int = 16
    """Images that are read ahead together; the numbers do not depend on it, nor on the shards."""
    seed: int = 0
    dtype: str = "float32"
    device: str = "cpu"
    """Kind of device: each has kernels, and last bits, of its own."""
    size: tuple[int, int] = (224, 224)
    """(height, width) of the images as the network sees them; others are left out, and said to be."""
    format: int = FORMAT
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """SHA-256 of everything that the numbers depend on: where source and network lie is no part of it."""
        said = {name: value for name, value in self.as_dict().items() if name not in FREE}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @cached_property
    def scope(self) -> Scope:
        """What the folds need to know of it."""
        return Scope(self.units, self.images, len(self.classes), self.seed)

    @cached_property
    def observes(self) -> Observes:
        """What is extracted from a pass: the union of what the folds observe."""
        return reduce(Observes.__or__, (fold.observes for fold in self.folds), Observes())

    def spared(self, there: Plan) -> tuple[str, ...]:
        """The statistics that it can spare, and that the other was begun without."""
        known = {fold.name for fold in there.folds}
        return tuple(fold.name for fold in self.folds if fold.spare and fold.name not in known)

    def begun_as(self, there: Plan) -> Plan:
        """This plan without those."""
        spared = self.spared(there)
        return replace(self, folds=tuple(fold for fold in self.folds if fold.name not in spared))

    @property
    def shards(self) -> int:
        """Into how many parts the work is cut."""
        return -(-self.images // self.shard)

    def members(self, shard: int) -> NDArray[np.int64]:
        """The images of one shard, in the seeded order."""
        return self.scope.order[shard * self.shard : (shard + 1) * self.shard]

    def piece(self, shard: int) -> Piece:
        """All of a shard."""
        return Piece(shard, 0, min(self.shard, self.images - shard * self.shard))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        said = asdict(replace(self, folds=())) | {"folds": [fold.said() for fold in self.folds]}
        return json.loads(json.dumps(said))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Plan:
        """The inverse of `as_dict`."""
        kept = Units.from_dict(said["units"])
        folds = tuple(map(_fold, said["folds"]))
        size = (int(said["size"][0]), int(said["size"][1]))
        return cls(**{**said, "units": kept, "size": size, "folds": folds, "classes": tuple(said["classes"])})

    def __getstate__(self) -> dict[str, Any]:
        """What travels: not what was made of it, such as the order of all images."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _fold(said: Mapping[str, Any]) -> Fold[Any]:
    """A fold as a plan names it."""
    kind: type[Fold[Any]] = FOLDS.get(said["name"])
    if said["format"] != kind.format:
        raise PellucidError(f"the statistic {kind.name!r} is of format {said['format']}, here it is {kind.format}")
    return kind.of(said["options"])
