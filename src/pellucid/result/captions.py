"""Captions: sentences about images, with a number and maps for each of their words, phrases or answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pellucid.errors import unknown
from pellucid.geometry import Placement, View
from pellucid.result.base import Meta, Result
from pellucid.result.maps import Heatmap
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Captions(Result):
    """Of each of N images a sentence in up to K parts, each with a number and M maps.

    `parts` are its words, its phrases, or the answers to the K `questions`; "" where an image has fewer. `scores`
    (N, K) are in `unit`, NaN where there is no part. `values` (N, K, M, rows, columns) are the maps called `maps`, raw,
    and zero where there is no part; `placement` says where their cells lie in `photos`, the images as the network saw
    them. `rest` (N,) is what of the score no phrase holds, NaN where parts are no shares of one.
    """

    sentences: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    scores: Float[np.ndarray, "n k"]
    values: Float[np.ndarray, "n k m rows columns"]
    maps: tuple[str, ...]
    photos: UInt8[np.ndarray, "n height width 3"]
    placement: Placement
    rest: Float[np.ndarray, " n"]
    unit: str = ""
    units: tuple[str, ...] = ()
    """Of the maps, in their order."""
    signed: tuple[bool, ...] = ()
    """Whether each of the maps has both signs."""
    questions: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = ("sentences", "parts", "scores", "values", "photos", "rest")

    def __repr__(self) -> str:
        return f"Captions({len(self)} images, {', '.join(self.maps)}; {self.sentences[0] if len(self) else ''})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Captions:
        """That of image i alone, with N = 1."""
        return self.alone(i)

    def count(self, i: int) -> int:
        """How many parts the sentence of image i has."""
        return sum(part != "" for part in self.parts[i])

    def heatmap(self, part: int, name: str) -> Heatmap:
        """The map of that name of one part of every image, such as `heatmap(2, "attention")`, over the input of the
        network. Raises UnknownName for a map, and IndexError for a part, that is not there.
        """
        if name not in self.maps:
            raise unknown("map", name, self.maps)
        if not 0 <= part < self.values.shape[1]:
            raise IndexError(f"no part {part}: the sentences have up to {self.values.shape[1]}")
        which = self.maps.index(name)
        values = self.values[:, part, which]
        views = (View.whole(*self.photos.shape[1:3]),) * len(self)
        unit = self.units[which] if self.units else ""
        return Heatmap(values, self.placement, views, unit, self.signed[which] if self.signed else True, self.meta)

    def derived(self) -> dict[str, Any]:
        """The parts of each image with their numbers."""
        rows = [
            [
                {"part": part, "score": None if math.isnan(score) else float(score)}
                for part, score in zip(self.parts[i], self.scores[i], strict=True)
                if part
            ]
            for i in range(len(self))
        ]
        return {"by_image": rows, "tables": {name: table.describe() for name, table in self.tables.items()}}
