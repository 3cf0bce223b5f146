"""Quantiles of every unit from integer histograms whose bins are the top bits of floating-point numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Units, Working

_MANTISSA = 4  # bits: 16 bins for each power of two
_LOWEST, _POWERS = -20, 40  # 2^-20 to 2^20; what lies below counts as zero, what lies above as the last bin
HALF = _POWERS << _MANTISSA
BINS = 2 * HALF + 1
"""Bins: those of negative numbers, from the largest magnitude down, zero in the middle, those of positive ones."""
_BLOCK = 1024  # units whose values are counted together
_ONE = torch.ones(1, dtype=torch.int32)


def binned(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """The bin of each finite value."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32)
    size = bits & np.int32(0x7FFFFFFF)
    size >>= np.int32(23 - _MANTISSA)
    size -= np.int32(((127 + _LOWEST) << _MANTISSA) - 1)
    np.clip(size, 0, HALF, out=size)
    size ^= bits >> 31  # with the next line: the sign turned where the number is negative
    size -= bits >> 31
    size += np.int32(HALF)
    return size


def edges() -> NDArray[np.float64]:
    """The BINS + 1 edges; the middle bin is zero and what is as good as zero."""
    sizes = 2.0 ** (_LOWEST + np.arange(HALF + 1) // (1 << _MANTISSA)) * (
        1 + np.arange(HALF + 1) % (1 << _MANTISSA) / (1 << _MANTISSA)
    )
    return np.concatenate([-sizes[::-1], sizes])


@final
@dataclass(frozen=True)
class Histogram(Fold):
    """How the activations of every unit are distributed, over a few random places of each map."""

    name = "histogram"

    def start(self, units: Units) -> Working:
        return {"counts": torch.zeros(len(units) * BINS, dtype=torch.int32)}

    def step(self, working: Working, units: Units, batch: Batch) -> None:
        # unit by unit: its few bins stay in the cache while all its values are counted
        for start in range(0, len(units), _BLOCK):
            mine = slice(start, start + _BLOCK)
            values = batch.sampled[:, :, mine]
            keys = binned(values.reshape(-1, values.shape[2])).T.astype(np.int64, order="C")
            keys += (np.arange(start, start + len(keys)) * BINS)[:, None]
            good = np.isfinite(batch.maxima[:, mine])
            finite = np.repeat(good, values.shape[1], 0).T if not good.all() else None
            kept = torch.from_numpy(keys.ravel() if finite is None else keys[finite])
            working["counts"].scatter_add_(0, kept, _ONE.expand(len(kept)))

    def pack(self, units: Units, working: Working) -> Part:
        at = working["counts"].nonzero()[:, 0]
        counts = working["counts"][at].numpy()
        narrow = np.uint16 if counts.max(initial=0) < 2**16 else np.uint32
        unit, bins = np.divmod(at.numpy(), BINS)
        per_unit = np.bincount(unit, minlength=len(units)).astype(np.uint16)
        return {"bins": per_unit, "bin": bins.astype(np.uint16), "count": counts.astype(narrow)}

    def absorb(self, working: Working, units: Units, part: Part) -> None:
        unit = np.repeat(np.arange(len(units)), part["bins"])
        keys = torch.from_numpy(unit * BINS + part["bin"].astype(np.int64))
        working["counts"][keys] += torch.from_numpy(part["count"].astype(np.int32))

    def finish(self, units: Units, working: Working) -> Part:
        part = self.pack(units, working)
        offset = np.concatenate([[0], np.cumsum(part["bins"], dtype=np.int64)])
        return {"offset": offset, "bin": part["bin"], "count": part["count"].astype(np.uint32)}


def counted(
    offset: NDArray[np.int64], bins: NDArray[np.uint16], count: NDArray[np.uint32], units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(units, BINS): the whole histograms of some units, from the bins that are not empty."""
    found = np.zeros((len(units), BINS), np.int64)
    for row, unit in zip(found, units, strict=True):
        mine = slice(int(offset[unit]), int(offset[unit + 1]))
        row[bins[mine]] = count[mine]
    return found


def quantiles(counts: NDArray[np.integer[Any]], shares: NDArray[np.float64]) -> NDArray[np.float64]:
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
