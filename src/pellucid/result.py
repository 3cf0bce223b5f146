"""What methods hand back: raw numbers of a kind, and where they come from. No pictures, no autograd graph."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.files import write_atomically
from pellucid.geometry import Placement, View

_DRAWING_ROOM = "pellucid.draw"  # asked by name, and only when a notebook shows a result: results know no pictures


@dataclass(frozen=True)
class Meta:
    """Where a result comes from: enough to make it again and to judge it."""

    method: str = ""
    title: str = ""
    """The method's name for people."""
    options: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None
    net: str = ""
    weights: str = ""
    """SHA-256 over the names and values of all parameters and buffers."""
    images: tuple[str, ...] = ()
    layer: str | None = None
    seed: int | None = None
    completeness: tuple[float, ...] | None = None
    """Per image: |Σ map − (score − score of the baseline)| / |score − score of the baseline|."""
    score: tuple[float, ...] | None = None
    """Per image: the number that was explained."""
    coverage: Mapping[str, int] = field(default_factory=dict)
    """How often each operation met each backward rule: {'relu: guided': 17, 'sigmoid: plain': 3}."""
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def of(self, one: slice, count: int) -> Meta:
        """The origin of one image out of `count`."""

        def pick(values: tuple[Any, ...] | None) -> Any:
            return values[one] if values is not None and len(values) == count else values

        picked = {name: pick(getattr(self, name)) for name in ("images", "completeness", "score")}
        return dataclasses.replace(self, **picked)


def versions() -> dict[str, str]:
    """Of what computed a result."""
    return {name: version(name) for name in ("pellucid", "torch")}


@dataclass(frozen=True)
class Result:
    """One answer of a method. It shows itself in notebooks."""

    def _repr_html_(self) -> str:
        shown: str = import_module(_DRAWING_ROOM).draw(self)._repr_html_()
        return shown

    def _repr_png_(self) -> bytes:
        shown: bytes = import_module(_DRAWING_ROOM).draw(self)._repr_png_()
        return shown


@dataclass(frozen=True, eq=False)
class Heatmap(Result):
    """A number for every place: (N, rows, columns), raw and signed, in the layer's own frame.

    `placement` says where the cells lie in the network's input, `views` how that input lies in each original
    picture, `unit` what one unit of the values is. Views of the numbers (positive part, common scale, resized
    over the picture) are the drawing room's business.
    """

    values: Float[np.ndarray, "n rows columns"]
    placement: Placement
    views: tuple[View, ...]
    unit: str = ""
    signed: bool = True
    meta: Meta = field(default_factory=Meta)
    error: Float[np.ndarray, "n rows columns"] | None = None
    """Of sampled methods: the standard error of every value, in the same unit."""

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.values.shape))
        asked = f" of {self.meta.target}" if self.meta.target else ""
        return f"Heatmap({shape}, {self.meta.method or 'no method'}{asked}, in {self.unit or 'no unit'})"

    @property
    def array(self) -> Float[np.ndarray, "n rows columns"]:
        """The raw numbers, (N, rows, columns)."""
        return self.values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Heatmap:
        """The heatmap of image i alone, with N = 1."""
        one = _one(i, len(self), "heatmap")
        error = self.error[one] if self.error is not None else None
        meta = self.meta.of(one, len(self))
        return dataclasses.replace(self, values=self.values[one], views=self.views[one], meta=meta, error=error)

    def save(self, path: str | Path) -> Path:
        """Write the numbers and their origin to `path` (.npz: `values`, `error` if any, `meta` as JSON); atomic."""
        error = {"error": self.error} if self.error is not None else {}
        return _save(path, self.meta, values=self.values, **error)


@dataclass(frozen=True, eq=False)
class LabelMap(Result):
    """Which class wins where: (N, rows, columns) of class indices, with the names of those that occur."""

    values: Int[np.ndarray, "n rows columns"]
    placement: Placement
    views: tuple[View, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> LabelMap:
        """The label map of image i alone, with N = 1."""
        one = _one(i, len(self), "label map")
        meta = self.meta.of(one, len(self))
        return dataclasses.replace(self, values=self.values[one], views=self.views[one], meta=meta)

    def save(self, path: str | Path) -> Path:
        """Write the numbers and their origin to `path` (.npz: `values`, `names` as JSON, `meta` as JSON); atomic."""
        return _save(path, self.meta, values=self.values, names=np.asarray(json.dumps(self.names)))


@dataclass(frozen=True, eq=False)
class Panel(Result):
    """Several results about the same images, side by side under their names.

    `panel["label"]` is one of them, `panel[0]` the panel of image 0 alone. Each part says in its Meta what it
    is about, and has everything else from the panel.
    """

    parts: Mapping[str, Heatmap | LabelMap]
    meta: Meta = field(default_factory=Meta)

    def __post_init__(self) -> None:
        if len({len(part) for part in self.parts.values()}) != 1:
            counts = ", ".join(f"{name}: {len(part)}" for name, part in self.parts.items())
            raise ValueError(f"a panel has at least one part, and all its parts are about the same images: {counts}")
        signed = {
            name: dataclasses.replace(
                part, meta=dataclasses.replace(self.meta, **{own: getattr(part.meta, own) for own in _OWN})
            )
            for name, part in self.parts.items()
        }
        object.__setattr__(self, "parts", signed)

    def __repr__(self) -> str:
        return f"Panel({', '.join(self.parts)}; {len(self)} images, {self.meta.method or 'no method'})"

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    @overload
    def __getitem__(self, which: int) -> Panel: ...

    @overload
    def __getitem__(self, which: str) -> Heatmap | LabelMap: ...

    def __getitem__(self, which: int | str) -> Panel | Heatmap | LabelMap:
        """The part of that name, or the panel of image `which` alone, with N = 1."""
        if isinstance(which, str):
            if which not in self.parts:
                raise KeyError(f"no part {which!r}: the panel holds {', '.join(self.parts)}")
            return self.parts[which]
        one = _one(which, len(self), "panel")
        return Panel({name: part[which] for name, part in self.parts.items()}, self.meta.of(one, len(self)))

    def save(self, path: str | Path) -> Path:
        """Write the numbers and their origin to `path` (.npz); atomic.

        One array under the name of each part, `NAME.error` and `NAME.names` (JSON) where there are any,
        `NAME.meta` and `meta` as JSON.
        """
        arrays: dict[str, Any] = {}
        for name, part in self.parts.items():
            arrays |= {name: part.values, f"{name}.meta": np.asarray(json.dumps(part.meta.as_dict()))}
            if isinstance(part, LabelMap):
                arrays[f"{name}.names"] = np.asarray(json.dumps(part.names))
            elif part.error is not None:
                arrays[f"{name}.error"] = part.error
        return _save(path, self.meta, **arrays)


_OWN = ("target", "layer", "score", "completeness", "coverage", "notes")
"""What each part of a panel says for itself."""


@dataclass(frozen=True)
class Guess:
    """One class that the network considered."""

    index: int
    label: str
    probability: float
    logit: float
    wnid: str | None = None


@dataclass(frozen=True)
class Predictions(Result):
    """The best guesses for every image, best first: one tuple of guesses per image."""

    guesses: tuple[tuple[Guess, ...], ...]
    meta: Meta = field(default_factory=Meta)


@dataclass(frozen=True)
class Column:
    """One question of an explanation: a class with its probability, or one class against another."""

    name: str
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """One method's maps in an explanation: one for each question, in the order of the columns."""

    method: str
    title: str
    maps: tuple[Heatmap, ...]


@dataclass(frozen=True, eq=False)
class Explanation(Result):
    """One image, the network's best guesses, and what each of several methods says about each question.

    `picture` is the original, (H, W, 3) uint8; `view` how the network saw it.
    """

    picture: UInt8[np.ndarray, "height width 3"]
    view: View
    guesses: tuple[Guess, ...]
    rows: tuple[Row, ...]
    meta: Meta = field(default_factory=Meta)
    asked: tuple[Column, ...] = ()
    """What was asked, where it is not each guess by itself."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The questions, one for each map of a row: the guesses, unless something else was asked."""
        return self.asked or tuple(Column(guess.label, guess.probability) for guess in self.guesses)

    def save(self, path: str | Path) -> Path:
        """Write the numbers and their origin to `path` (.npz); atomic.

        One array (questions, rows, columns) under the name of each method, `questions` in words, the `classes`
        of the guesses, and `meta` as JSON.
        """
        maps = {row.method: np.concatenate([heat.values for heat in row.maps]) for row in self.rows}
        classes = np.array([guess.index for guess in self.guesses])
        return _save(path, self.meta, classes=classes, questions=np.array([c.name for c in self.columns]), **maps)


def _one(i: int, count: int, what: str) -> slice:
    """The slice that holds image i alone."""
    if not -count <= i < count:
        raise IndexError(f"no image {i}: the {what} holds {count}")
    return slice(i % count, i % count + 1)


def _save(path: str | Path, meta: Meta, **arrays: Any) -> Path:
    told = np.asarray(json.dumps(meta.as_dict()))
    return write_atomically(path, lambda file: np.savez(file, meta=told, **arrays))
