"""What a network says about images, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pellucid.geometry import View
from pellucid.result.base import Meta, Result
from pellucid.result.checks import Trust
from pellucid.result.maps import Heatmap


@dataclass(frozen=True)
class Prediction:
    """One class that the network considered; of a regression one of its outputs, which has no probability.

    `logit` is the network's own number for it, whatever that means: `Meta.scores` of the predictions says it.
    """

    index: int
    label: str
    probability: float | None
    logit: float
    wnid: str | None = None


@dataclass(frozen=True)
class Predictions(Result):
    """The best guesses for every image, best first: one tuple of guesses per image."""

    ranked: tuple[tuple[Prediction, ...], ...]
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
    trust: tuple[Trust, ...] = ()
    """What is cheap to know about the first of them: can it be believed?"""


@dataclass(frozen=True, eq=False)
class Explanation(Result):
    """One image, the network's best guesses, and what each of several methods says about each question.

    `picture` is the original, (H, W, 3) uint8; `view` how the network saw it.
    """

    picture: UInt8[np.ndarray, "height width 3"]
    view: View
    ranked: tuple[Prediction, ...]
    rows: tuple[Row, ...]
    meta: Meta = field(default_factory=Meta)
    asked: tuple[Column, ...] = ()
    """What was asked, where it is not each guess by itself."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The questions, one for each map of a row: the guesses, unless something else was asked."""
        return self.asked or tuple(Column(prediction.label, prediction.probability) for prediction in self.ranked)

    def describe(self) -> dict[str, Any]:
        """As every result, with `methods` in place of rows: the maps of each, without their numbers."""
        said = super().describe()
        rows = said.pop("rows")
        for row in rows:
            for heat in row["maps"]:
                heat |= {"shape": heat["shape"][1:], "target": heat["meta"]["target"]}
        return said | {"methods": rows}
