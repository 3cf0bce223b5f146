"""Quantiles of every unit from integer histograms whose bins are the top bits of floating-point numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.chance import generator
from pellucid.sweep.fold import Batch, Fold, Part, Units

_MANTISSA = 4  # bits: 16 bins for each power of two
_LOWEST, _POWERS = -20, 32  # 2^-20 to 2^12; what lies below counts as zero, what lies above as the last bin
HALF = _POWERS << _MANTISSA
BINS = 2 * HALF + 1
"""Bins: those of negative numbers, from the largest magnitude down, zero in the middle, those of positive ones."""


def binned(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin of each finite value."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.int64)
    key = ((bits & 0x7FFFFFFF) >> (23 - _MANTISSA)) - ((127 + _LOWEST) << _MANTISSA)
    size = np.clip(key + 1, 0, HALF)
    found: NDArray[np.int64] = np.where(bits >> 31 == 1, HALF - size, HALF + size)
    return found


def edges() -> NDArray[np.float64]:
    """The BINS + 1 edges; the middle bin is zero and what is as good as zero."""
    sizes = 2.0 ** (_LOWEST + np.arange(HALF + 1) // (1 << _MANTISSA)) * (
        1 + np.arange(HALF + 1) % (1 << _MANTISSA) / (1 << _MANTISSA)
    )
    return np.concatenate([-sizes[::-1], sizes])


@final
@dataclass(frozen=True)
class Histogram(Fold):
    """How the activations of every unit are distributed: over `samples` random places of each map (0: all places).

    The places are drawn for each picture and layer from the seed, so they do not depend on batch or order.
    """

    samples: int = 4
    seed: int = 0
    name = "histogram"

    def facts(self) -> dict[str, object]:
        return {"samples": self.samples, "seed": self.seed}

    def start(self, units: Units) -> Part:
        return {"counts": np.zeros((len(units), BINS), np.uint32)}

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        counts = part["counts"]
        for layer, one in enumerate(batch.maps):
            flat = one.flatten(2)
            if self.samples and flat.shape[2] > self.samples:
                where = torch.from_numpy(self._places(batch.images, layer, flat.shape[2])).to(flat.device)
                flat = flat.gather(2, where[:, None, :].expand(-1, flat.shape[1], -1))
            values = flat.transpose(0, 1).flatten(1).cpu().numpy()  # (channels, pictures × places)
            finite = np.isfinite(values)
            unit = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
            # adding one by one: to clear and add whole histograms would cost more than the few values of a batch
            np.add.at(counts, (units.first(layer) + unit[finite], binned(values[finite])), 1)

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        return {"counts": a["counts"] + b["counts"]}

    def _places(self, images: NDArray[np.int64], layer: int, places: int) -> NDArray[np.int64]:
        return np.stack(
            [generator(self.seed, int(i), layer, "places").integers(0, places, self.samples) for i in images]
        )


def quantiles(counts: NDArray[np.uint32], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(units, len(shares)): the value below which each share of a unit's activations lies, linear within a bin."""
    ends, totals = edges(), counts.sum(1, dtype=np.int64)
    below = np.cumsum(counts, axis=1, dtype=np.int64)
    found = np.full((len(counts), len(shares)), np.nan)
    for unit in np.nonzero(totals)[0]:
        wanted = shares * totals[unit]
        at = np.minimum(np.searchsorted(below[unit], wanted, side="left"), counts.shape[1] - 1)
        inside = counts[unit, at]
        share = (wanted - (below[unit, at] - inside)) / np.maximum(inside, 1)
        value = ends[at] + share * (ends[at + 1] - ends[at])
        found[unit] = np.where(at == HALF, 0.0, value)
    return found
