"""Building blocks of a decision: of each layer groups of units or single ones, their pictures, maps and shares."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.errors import unknown
from pellucid.geometry import Placement
from pellucid.result.base import Meta, Result, one_of_many


@dataclass(frozen=True, eq=False)
class BlockLayer:
    """K blocks of one layer, or of one cell of it, for each of N images; those with the largest shares first.

    `values` (N, K, rows, columns) say how strongly each is present in each cell, `shares` (N, K) what it adds to the
    score, `residual` (N,) what the layer's attribution holds besides: their sum is Σ activation · gradient. `units`
    (N, K, M) are the channels that a block is of, the largest first, and `error` (N,) is the share of the activations'
    norm that all blocks leave over.
    """

    layer: str
    values: Float[np.ndarray, "n k rows columns"]
    shares: Float[np.ndarray, "n k"]
    residual: Float[np.ndarray, " n"]
    units: Int[np.ndarray, "n k m"]
    error: Float[np.ndarray, " n"]
    placement: Placement
    names: tuple[str, ...]
    directions: Float[np.ndarray, "n k channels"] | None = None
    """Of groups, of unit length."""
    agreement: Float[np.ndarray, "n k"] | None = None
    """Of each group the cosine with its like from another start."""
    empty: Float[np.ndarray, " n"] | None = None
    """(N,) the score when the layer hands on zeros, to which shares and residual add; None where gradients are those at
    the image, or blocks are those of a cell."""
    pictures: UInt8[np.ndarray, "n k height width 3"] | None = None
    """Made for each; None where none were asked for."""
    patches: UInt8[np.ndarray, "n k side side 3"] | None = None
    """What each is strongest on in real images, where these were given."""
    links: Float[np.ndarray, "n j i"] | None = None
    """(N, K' + 1, K + 1): of each block of the next layer, and of its residual, what comes through each block here, and
    through the residual."""
    cells: Int[np.ndarray, "n 2"] | None = None
    """(row, column) of the one cell that blocks are of: shares and residual are then those of this cell."""
    activations: Float[np.ndarray, "n k"] | None = None
    """Of each block in that cell."""

    def __getitem__(self, i: slice) -> BlockLayer:
        """Those of some images alone."""
        whole = {one.name: getattr(self, one.name) for one in fields(self)}
        picked: dict[str, Any] = {name: value[i] for name, value in whole.items() if isinstance(value, np.ndarray)}
        return replace(self, **picked)

    @property
    def channels(self) -> int | None:
        """How many units the layer has, where that is known."""
        return None if self.directions is None else int(self.directions.shape[2])

    @property
    def total(self) -> Float[np.ndarray, " n"]:
        """(N,) all that the layer holds of the score: Σ activation · gradient."""
        return np.asarray(self.shares.sum(1) + self.residual)


@dataclass(frozen=True, eq=False)
class Blocks(Result):
    """Building blocks at one layer or several, the earliest first, of N images.

    `photos` are the images as the network saw them, `unit` what one unit of the shares is; the scores stand in `meta`.
    """

    layers: tuple[BlockLayer, ...]
    photos: UInt8[np.ndarray, "n height width 3"]
    unit: str = ""
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = ("photos",)

    def __repr__(self) -> str:
        said = ", ".join(f"{one.shares.shape[1]} of {one.layer}" for one in self.layers)
        return f"Blocks({len(self)} images, {said}, in {self.unit or 'no unit'})"

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, which: int | str) -> Any:
        """The blocks of one layer by its name, or those of image `which` alone, with N = 1."""
        if isinstance(which, str):
            found = [layer for layer in self.layers if layer.layer == which]
            if not found:
                raise unknown("layer", which, [layer.layer for layer in self.layers])
            return found[0]
        one = one_of_many(which, len(self), "result")
        return self.alone(which, layers=tuple(layer[one] for layer in self.layers))

    def derived(self) -> dict[str, Any]:
        """The shares of each layer, with what is left over, and how well the groups fit."""
        return {
            "by_layer": [
                {
                    "layer": one.layer,
                    "shares": one.shares.tolist(),
                    "residual": one.residual.tolist(),
                    "error": one.error.tolist(),
                    "agreement": None if one.agreement is None else one.agreement.tolist(),
                    "cells": None if one.cells is None else one.cells.tolist(),
                }
                for one in self.layers
            ]
        }
