"""One statistic over many images: what it observes, its options, how it counts, and how it is read.

A fold starts, takes batches in, is packed, merged and finished; exact in any order: whatever it adds up is an integer,
and whatever it selects is selected by a total order, so that the same images give the same bits whichever batch,
shard, worker or order they came in.

A fold is a frozen dataclass whose fields are its options, each annotated with what it may be and a description: plans,
the command line and the checks of a plan from elsewhere read them there. Options of all folds of a plan have different
names, for they are given side by side.
"""

from __future__ import annotations

import functools
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import pydantic
from numpy.typing import NDArray

from pellucid.errors import PellucidError, unknown
from pellucid.plugins import FOLDS
from pellucid.rng import generator
from pellucid.sweep._disk import BadStore
from pellucid.sweep.layers import Units
from pellucid.sweep.observed import Batch, Observes

Part = dict[str, NDArray[Any]]
"""What a fold knows so far: named arrays, ready to be written."""
Working = dict[str, Any]
"""What a fold holds while it counts."""
Shape = tuple[int | None, ...]
"""Of an array; None where the plan does not say how long it is."""
Read = TypeVar("Read")
"""What a fold is read as."""
Own = TypeVar("Own", bound="Fold[Any]")


@dataclass(frozen=True)
class Scope:
    """What a sweep is over, as folds need to know it."""

    units: Units
    images: int = 0
    classes: int = 0
    """0 where the images have no classes."""
    seed: int = 0

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """All images in a seeded order: class-sorted sources cannot break the bounds then."""
        return generator(self.seed, "order").permutation(self.images).astype(np.int64)

    def drawn(self, count: int) -> NDArray[np.int64]:
        """So many images at random, in rising order; the same for every count asked for."""
        known: dict[int, NDArray[np.int64]] = self.__dict__.setdefault("_drawn", {})
        if count not in known:
            known[count] = np.sort(self.order[:count])
        return known[count]


@dataclass(frozen=True, eq=False)
class Held:
    """What a finished index holds of one fold: `held["NAME"]` is one of its arrays, memory-mapped."""

    name: str
    scope: Scope
    array: Callable[[str], NDArray[Any]]
    """By FOLD.NAME."""
    folder: str

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.array(f"{self.name}.{name}")

    def damaged(self, why: str) -> BadStore:
        """The error for arrays that cannot be what was written."""
        return BadStore(f"{self.folder!r} is damaged: {why}")


class Fold(ABC, Generic[Read]):
    """One statistic. Its working form counts; its packed form is written, travels, and can be added in any order."""

    name: ClassVar[str]
    """Under which plans and files know it."""
    format: ClassVar[int] = 1
    """Raised when the same options would give other bits."""
    absent: ClassVar[str] = "the index was made without it"
    """The error for whoever asks an index that does not have it: how to make one that has."""
    spare: ClassVar[bool] = False
    """Whether an index that was begun when there was no such statistic goes on without it."""
    bounded: ClassVar[bool] = False
    """Whether `bound` says what other shards need not report any more."""

    def __init_subclass__(cls, **how: Any) -> None:
        super().__init_subclass__(**how)
        if "name" in cls.__dict__:  # else it is a base of several
            FOLDS.add(cls, cls.name)

    @classmethod
    def of(cls: type[Own], options: Mapping[str, Any]) -> Own:
        """The fold with these options. Raises PellucidError, in one line, for what they cannot be."""
        model = options_of(cls)
        for name in options:
            if name not in model.model_fields:
                raise unknown(f"option of the statistic {cls.name!r}", name, model.model_fields)
        try:
            found = model(**options)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            name, shown = ".".join(map(str, first["loc"][:1])), repr(first["input"])
            raise PellucidError(f"{name}={shown[:80]}: {first['msg'].lower()}") from error
        return cls(**{name: getattr(found, name) for name in model.model_fields})

    def said(self) -> dict[str, Any]:
        """As it stands in a plan."""
        return {"name": self.name, "format": self.format, "options": asdict(self)}  # type: ignore[call-overload]

    def settled(self: Own, scope: Scope) -> Own | None:
        """The same, with options that were left open decided; None where there is nothing to keep."""
        return self

    def fits(self, scope: Scope) -> None:  # most fit everywhere
        """Raises ValueError where the options do not belong to the layers and images."""

    @property
    def observes(self) -> Observes:
        """What is extracted from the layers' outputs for it."""
        return Observes()

    @abstractmethod
    def start(self, scope: Scope) -> Working:
        """Nothing seen yet."""

    @abstractmethod
    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        """Take a batch in."""

    @abstractmethod
    def pack(self, scope: Scope, working: Working) -> Part:
        """As it is written: small, and nothing but arrays."""

    @abstractmethod
    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        """Take a packed part in; in whatever order they come, the bits are the same."""

    @abstractmethod
    def finish(self, scope: Scope, working: Working) -> Part:
        """What is read from the index."""

    @abstractmethod
    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        """What `finish` gives: the shape of each array, by which a damaged file is noticed."""

    @abstractmethod
    def read(self, held: Held) -> Read:
        """What a finished index shows of it."""

    def merge(self, scope: Scope, a: Part, b: Part) -> Part:
        """Both parts as one; associative, commutative, exact."""
        working = self.start(scope)
        self.absorb(working, scope, a)
        self.absorb(working, scope, b)
        return self.pack(scope, working)

    def gates(self, working: Working, images: NDArray[np.int64]) -> Mapping[str, NDArray[np.float32]]:
        """For each extreme whose place it needs (N, units): below it an activation of these images cannot matter."""
        return {}

    def bound(self, working: Working) -> NDArray[np.uint64]:
        """(units,): what other shards need not report, because enough is known that comes before it."""
        raise NotImplementedError

    def bounded_by(self, working: Working, bound: NDArray[np.uint64]) -> None:
        """Report nothing that comes behind the bound."""


@functools.cache
def options_of(*kinds: type[Fold[Any]]) -> type[pydantic.BaseModel]:
    """The options of folds, side by side, as a pydantic model."""
    found: dict[str, Any] = {}
    for kind in kinds:
        hints = typing.get_type_hints(kind, include_extras=True)
        for one in fields(kind):  # type: ignore[arg-type]
            found[one.name] = hints[one.name], ... if one.default is MISSING else one.default
    return pydantic.create_model("Options", **found)


class Rows(Fold[Read]):
    """What is kept of every image: a row of numbers for each. The rows are written straight to where they are read,
    so that memory does not grow with their number.
    """

    @abstractmethod
    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        """Arrays by name: (width, type)."""

    @abstractmethod
    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        """(numbers of the images, their rows)."""

    @abstractmethod
    def height(self, scope: Scope) -> int:
        """How many rows there are in all."""

    @abstractmethod
    def position(self, scope: Scope, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which rows are those of these images."""

    def start(self, scope: Scope) -> Working:
        return {"image": [], **{name: [] for name in self.columns(scope)}}

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        images, rows = self.rows(scope, batch)
        if len(images):
            self.absorb(working, scope, {"image": images, **rows})

    def pack(self, scope: Scope, working: Working) -> Part:
        images = np.concatenate([np.zeros(0, np.int64), *working["image"]])
        order = np.argsort(images)
        packed: Part = {"image": images[order]}
        for name, (width, kind) in self.columns(scope).items():
            packed[name] = np.concatenate([np.zeros((0, width), kind), *working[name]])[order]
        return packed

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        for name, values in part.items():
            working[name].append(values)

    def finish(self, scope: Scope, working: Working) -> Part:
        return self.pack(scope, working)

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        height = self.height(scope)
        return {"there": (height, 1), **{name: (height, width) for name, (width, _) in self.columns(scope).items()}}


class OfEveryImage(Rows[Read]):
    """Rows for all images: that of an image is its number."""

    def height(self, scope: Scope) -> int:
        return scope.images

    def position(self, scope: Scope, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return images
