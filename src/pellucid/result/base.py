"""What every result has: where it comes from, how one image of many is taken, how numbers are written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pellucid.plugins import RESULTS
from pellucid.result.meta import Asked, Meta
from pellucid.result.serial import described
from pellucid.result.stored import save

__all__ = ["Asked", "Meta", "Result", "one_of_many", "version_of", "versions"]

R = TypeVar("R", bound="Result")

_DRAWING_ROOM = "pellucid.draw"  # asked by name, and only when a notebook shows a result: results know no pictures


def versions() -> dict[str, str]:
    """Of what computed a result."""
    return {"pellucid": version_of("pellucid"), "torch": version_of("torch")}


@cache
def version_of(name: str) -> str:
    """Of a package, read once; in a source tree that was never installed, what the package says itself."""
    try:
        return version(name)
    except PackageNotFoundError:
        return str(getattr(import_module(name), "__version__", "unknown"))


@dataclass(frozen=True)
class Result:
    """One answer of a method: a frozen dataclass, with `meta`. It can be saved, and shows itself in notebooks.

    A kind is known by its name as soon as it is defined; the annotations of its fields say how it is saved and read.
    Another package names its kinds in the entry points `pellucid.results`, so that `pl.open` finds them.
    """

    each: ClassVar[tuple[str, ...]] = ()
    """The fields that have one entry for each of the same things: images, patches, layers."""

    if TYPE_CHECKING:

        @property
        def meta(self) -> Meta: ...

    def __init_subclass__(cls) -> None:
        RESULTS.add(cls)

    def alone(self: R, i: int, **others: Any) -> R:
        """Entry i of what `each` names, with N = 1; `others` replace more fields.

        The Meta becomes that of image i. Where the entries are no images, `meta=self.meta` leaves it as it is.
        """
        count = len(getattr(self, self.each[0]))
        one = one_of_many(i, count, "result")
        picked = {name: getattr(self, name)[one] for name in self.each if name not in others}
        return replace(self, **{"meta": self.meta.of(one, count), **picked, **others})

    def save(self, path: str | Path) -> Path:
        """Write everything to `path` (.npz): an array for each that it holds, and `about.json`, all the rest.

        `pellucid.open` gives back the same in every bit; `numpy.load` reads the arrays. The file is whole or not there.
        """
        return save(self, path)

    def describe(self) -> dict[str, Any]:
        """Everything but the numbers, ready for JSON: of an array its `shape`, `min` and `max`, which for `values`
        stand with the rest. None is what JSON has no number for.
        """
        said: dict[str, Any] = described(self)
        return said

    def _repr_html_(self) -> str:
        shown: str = import_module(_DRAWING_ROOM).draw(self)._repr_html_()
        return shown


def one_of_many(i: int, count: int, what: str) -> slice:
    """The slice that holds image i alone."""
    i = index(i)  # a TypeError that says so for what is no number
    if not -count <= i < count:
        raise IndexError(f"no image {i}: the {what} holds {count}")
    return slice(i % count, i % count + 1)
