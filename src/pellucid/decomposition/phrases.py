"""A decision in phrases: the concepts that a layer's units were found to detect, each with its share of the score.

The attribution of a layer, activation times gradient, is summed over the detectors of a concept that are active in the
image. What belongs to other units, or to detectors that are silent, is in no phrase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pellucid.images.concepts import Concepts
from pellucid.index.detectors import Detectors
from pellucid.net import Net
from pellucid.saliency.between import AtLayer, at_layer
from pellucid.target import Target

_STRONG = 0.5
"""Of the largest cell, for a cell to count in where a phrase lies."""
_DOWN, _ACROSS = ("top", "", "bottom"), ("left", "", "right")


@dataclass(frozen=True, eq=False)
class Phrase:
    """A concept in an image, with all its detectors that are active there."""

    concept: str
    units: tuple[int, ...]
    """Channels of the layer, the one with the largest share first."""
    share: float
    """What they add to the score."""
    map: Float[np.ndarray, "rows columns"]
    """The same by cells; it sums to the share."""

    @property
    def region(self) -> str:
        """Where the middle of the strongest cells lies, in thirds of the image: "top left", or "center"."""
        positive = np.where(self.map >= _STRONG * self.map.max(), self.map, 0.0).clip(min=0)
        if not positive.sum():
            return "nowhere"
        rows, columns = self.map.shape
        y = float((positive.sum(1) * (np.arange(rows) + 0.5)).sum() / positive.sum() / rows)
        x = float((positive.sum(0) * (np.arange(columns) + 0.5)).sum() / positive.sum() / columns)
        said = f"{_DOWN[min(int(3 * y), 2)]} {_ACROSS[min(int(3 * x), 2)]}".strip()
        return said or "center"


@dataclass(frozen=True, eq=False)
class Sentence:
    """The phrases of one image, the largest share first, and what they leave out."""

    phrases: tuple[Phrase, ...]
    at: AtLayer
    others: float
    """Share of concepts that are found but no phrase names."""
    unnamed: float
    """Share of the units that detect no concept, or are not active."""

    @property
    def rest(self) -> float:
        """The score but for the phrases."""
        return self.at.score - sum(one.share for one in self.phrases)


def sentence(
    net: Net, pixels: Float[Tensor, "1 c h w"], target: Target, layer: str, found: Detectors, concepts: Concepts,
    min_iou: float, count: int, points: int,
) -> Sentence:  # fmt: skip
    """Of one image: up to `count` concepts whose detectors add to the score; of equal ones the first."""
    at = at_layer(net, pixels, target, layer, points)
    product = at.activation * at.gradient
    active = at.activation.max(0) >= found.judged.thresholds
    best, detects = found.best, (found.value > min_iou) & active
    every = []
    for column in np.unique(best[detects]).tolist():
        units = np.nonzero(detects & (best == column))[0]
        map_ = product[:, units].sum(1).reshape(at.places)
        order = units[np.argsort(-product[:, units].sum(0), kind="stable")]
        name = concepts.names[found.numbers[column]]
        every.append(Phrase(name, tuple(order.tolist()), float(map_.sum()), map_))
    every.sort(key=lambda one: -one.share)
    chosen = tuple(one for one in every[:count] if one.share > 0)
    others = sum(one.share for one in every[len(chosen) :])
    return Sentence(chosen, at, others, at.total - others - sum(one.share for one in chosen))
