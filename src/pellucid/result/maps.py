"""A number, or a name, for every place of an image: heatmaps, label maps, and several of them side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np
from jaxtyping import Float, Int

from pellucid.geometry import Placement, View
from pellucid.result.base import Meta, Result, one_of_many

Sign = Literal["evidence", "slope", "ruled", "number"]
"""What being above zero says: for the target; that a brighter pixel raises the score; that the gradient as a rule
changed it is positive, which says nothing of the score; or nothing else.
"""


@dataclass(frozen=True, eq=False)
class Heatmap(Result):
    """A number for every place: (N, rows, columns), raw and signed, in the layer's own frame.

    `placement` says where the cells lie in the network's input, `views` how that input lies in each original
    image, `unit` what one unit of the values is. Views of the numbers (positive part, common scale, resized
    over the image) are the drawing room's business.
    """

    values: Float[np.ndarray, "n rows columns"]
    placement: Placement
    views: tuple[View, ...]
    unit: str = ""
    signed: bool = True
    meta: Meta = field(default_factory=Meta)
    error: Float[np.ndarray, "n rows columns"] | None = None
    """Of sampled methods: the standard error of every value, in the same unit."""
    sign: Sign = "evidence"
    """How the sign is to be read."""
    each = ("values", "views")

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
        error = self.error[one_of_many(i, len(self), "result")] if self.error is not None else None
        return self.alone(i, error=error)


@dataclass(frozen=True, eq=False)
class LabelMap(Result):
    """Which class wins where: (N, rows, columns) of class indices, with the names of those that occur."""

    values: Int[np.ndarray, "n rows columns"]
    placement: Placement
    views: tuple[View, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)
    each = ("values", "views")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> LabelMap:
        """The label map of image i alone, with N = 1."""
        return self.alone(i)


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
        one = one_of_many(which, len(self), "panel")
        return Panel({name: part[which] for name, part in self.parts.items()}, self.meta.of(one, len(self)))


_OWN = ("found", "coverage", "notes")
"""What each part of a panel says for itself."""
