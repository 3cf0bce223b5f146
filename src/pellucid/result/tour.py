"""Tours: a walk through a network for a class, from the first filters to the answer, with what it passes on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.geometry import Placement
from pellucid.result.activations import ActivationMaps
from pellucid.result.base import Meta, Result
from pellucid.result.predictions import Prediction
from pellucid.result.weights import Filters

_CHOOSY = 0.25


@dataclass(frozen=True, eq=False)
class TourLayer:
    """What a layer does with one image, and with M other photos.

    `values` (rows, columns) say where in the image the layer's share of the score lies, and their sum is all of it:
    Σ activation · gradient. `units` (K,) add most to the score, `shares` (K,) what each adds, `maps` (K, rows, columns)
    how active each is, `pictures` (K, side, side, 3) were made for them (None: none was asked for), `patches` cut from
    the photos where they are most active. `selectivity` (channels,) says of every unit what share of its activation is
    lost in gray; NaN where nothing excites it, or the network sees no colors. `places` (M + 1, 2) are the photos, and
    the image as the last, in a plane, by their mean activations.
    """

    layer: str
    placement: Placement
    values: Float[np.ndarray, "rows columns"]
    units: Int[np.ndarray, " k"]
    shares: Float[np.ndarray, " k"]
    maps: Float[np.ndarray, "k rows columns"]
    pictures: UInt8[np.ndarray, "k side side 3"] | None
    patches: UInt8[np.ndarray, "k side side 3"]
    sources: tuple[str, ...]
    """The photo that each patch is from."""
    selectivity: Float[np.ndarray, " channels"]
    color_units: Int[np.ndarray, " c"]
    """The most color-selective units among those that are active at all."""
    color_patches: UInt8[np.ndarray, "c side side 3"]
    places: Float[np.ndarray, "m 2"]
    empty: float
    """The score when the layer hands on zeros."""

    @property
    def colored(self) -> float | None:
        """Share of the units, of those that are excited at all, that lose more than a quarter of it in gray."""
        known = self.selectivity[np.isfinite(self.selectivity)]
        return float(np.mean(known > _CHOOSY)) if len(known) else None

    @property
    def total(self) -> float:
        """What the layer holds of the score."""
        return float(self.values.sum())


@dataclass(frozen=True, eq=False)
class Walk:
    """The walk for one image: `photo` (H, W, 3) as the network saw it, its most probable classes, and the layers from
    early to late. `asked` is the target in words, `score` its value, `gray` the value for the image in gray (NaN where
    the network sees no colors), `nearest` the photos by their distance in the last layer, the
    nearest first, without the image itself.
    """

    photo: UInt8[np.ndarray, "height width 3"]
    ranked: tuple[Prediction, ...]
    layers: tuple[TourLayer, ...]
    asked: str
    score: float
    gray: float
    nearest: tuple[int, ...]
    maps: ActivationMaps | None = None
    """Of the strongest filters of the first convolution; None where it has no maps."""


@dataclass(frozen=True, eq=False)
class Tour(Result):
    """A walk for each of N images, beside M photos: `thumbs` (M, side, side, 3) and their `names`. `filters` are those
    of the first convolution, None where there is none; `unit` is what one unit of the scores is.
    """

    walks: tuple[Walk, ...]
    filters: Filters | None
    thumbs: UInt8[np.ndarray, "m side side 3"]
    names: tuple[str, ...]
    unit: str = ""
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = ("walks",)

    def __repr__(self) -> str:
        layers = len(self.walks[0].layers) if self.walks else 0
        return f"Tour({len(self)} images through {layers} layers, beside {len(self.names)} photos)"

    def __len__(self) -> int:
        return len(self.walks)

    def __getitem__(self, i: int) -> Tour:
        """The walk of image i alone."""
        return self.alone(i)
