"""How layers code color: how choosy their units are about it, and which hues they want."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pellucid.result.base import Meta, Result, one_of_many


@dataclass(frozen=True, eq=False)
class LayerColors:
    """K units of one layer. Hues are angles in radians, in the plane of red − green and yellow − blue."""

    layer: str
    channels: int
    """Of the layer in all."""
    units: tuple[int, ...]
    selectivity: Float[np.ndarray, " units"]
    """1 − activation without color / activation."""
    hue: Float[np.ndarray, " units"]
    """Of the neuron feature."""
    chroma: Float[np.ndarray, " units"]
    """How far from gray the neuron feature is on average."""
    opposed: Float[np.ndarray, " units"]
    """0: one hue; 1: two opposite ones in equal parts."""
    features: UInt8[np.ndarray, "units side side 3"]
    """The neuron features, stretched, small."""
    axis: float
    """The axis along which the hues of the color-selective units lie, 0 to π."""
    strength: float
    """0: hues of all directions, 1: all on one axis."""
    silent: int = 0
    """Units that were looked at and that nothing excites: they are left out."""

    def share(self, threshold: float) -> float:
        """Of the units, those that are more selective."""
        return float((self.selectivity > threshold).mean()) if len(self.units) else 0.0


@dataclass(frozen=True, eq=False)
class ColorSelectivity(Result):
    """Layers from first to last, and the axes that they are compared with: `known` angles in radians, by name."""

    layers: tuple[LayerColors, ...]
    threshold: float
    """A unit is color-selective above this."""
    known: Mapping[str, float] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        return f"ColorSelectivity({', '.join(one.layer for one in self.layers)})"

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> ColorSelectivity:
        """Layer i alone."""
        return dataclasses.replace(self, layers=self.layers[one_of_many(i, len(self), "result")])

    @property
    def values(self) -> Float[np.ndarray, "units 4"]:
        """Selectivity, hue, chroma and opposition of all units, layer by layer."""
        rows = [np.stack([one.selectivity, one.hue, one.chroma, one.opposed], axis=1) for one in self.layers]
        return np.concatenate(rows) if rows else np.zeros((0, 4))

    def derived(self) -> dict[str, Any]:
        """The numbers of all units, for descriptions."""
        return {"values": self.values}
