"""Quantiles of every unit from integer histograms whose bins are the top bits of floating-point numbers.

The bins of a unit reach from its largest magnitude, whatever that is, 24 powers of two down; what lies below counts
as zero. The largest magnitude is known when all is counted: until then a unit has the bins of the largest so far, and
moves them when a larger one comes. Bins only ever leave at the lower end, so that it does not matter when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.index.folds.sampled import Sampled
from pellucid.sweep.fold import Held, Part, Scope, Shape, Working
from pellucid.sweep.observed import Batch

_MANTISSA = 4  # bits: 16 bins for each power of two
_POWERS = 24
HALF = _POWERS << _MANTISSA
BINS = 2 * HALF + 1
"""Bins: those of negative numbers, from the largest magnitude down, zero in the middle, those of positive ones."""
_BIAS = 127
SMALLEST_TOP = _POWERS
"""The least exponent that the largest bin has, as float32 writes it: what is smaller than all its bins is zero."""
_BLOCK = 1024  # units whose values are counted together
_ONE = torch.ones(1, dtype=torch.int32)


def exponents(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """The exponents of values, as float32 writes them: 127 for 1 to 2."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32)
    return (bits & np.int32(0x7FFFFFFF)) >> np.int32(23)


def binned(values: NDArray[np.float32], tops: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bin of each finite value (..., units), the largest bins of a unit having that exponent."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32)
    size = bits & np.int32(0x7FFFFFFF)
    size >>= np.int32(23 - _MANTISSA)
    size -= ((tops.astype(np.int32) - np.int32(_POWERS - 1)) << np.int32(_MANTISSA)) - np.int32(1)
    np.clip(size, 0, HALF, out=size)
    size ^= bits >> 31  # with the next line: the sign turned where the number is negative
    size -= bits >> 31
    size += np.int32(HALF)
    return size


def edges(top: int = _BIAS) -> NDArray[np.float64]:
    """The BINS + 1 edges; the middle bin is zero and what is as good as zero."""
    at = np.arange(HALF + 1)
    sizes = 2.0 ** (top - _BIAS - (_POWERS - 1) + at // (1 << _MANTISSA)) * (
        1 + at % (1 << _MANTISSA) / (1 << _MANTISSA)
    )
    return np.concatenate([-sizes[::-1], sizes])


@final
@dataclass(frozen=True)
class Histogram(Sampled["Distribution"]):
    """How the activations of every unit are distributed, over a few random places of each map."""

    name: ClassVar[str] = "histogram"

    def start(self, scope: Scope) -> Working:
        return {
            "counts": torch.zeros(len(scope.units) * BINS, dtype=torch.int32),
            "top": np.full(len(scope.units), SMALLEST_TOP, np.int32),
        }

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        # unit by unit: its few bins stay in the cache while all its values are counted
        for start in range(0, len(scope.units), _BLOCK):
            mine = slice(start, start + _BLOCK)
            values, good = batch.sampled[:, :, mine], np.isfinite(batch.maxima[:, mine])
            if not good.all():
                values = np.where(good[:, None], values, np.float32(0))
            self._raise(working, exponents(np.abs(values).max((0, 1))), start)
            flat = values.reshape(-1, values.shape[2])
            keys = binned(flat, working["top"][mine]).T.astype(np.int64, order="C")
            keys += (np.arange(start, start + len(keys)) * BINS)[:, None]
            finite = np.repeat(good, values.shape[1], 0).T if not good.all() else None
            kept = torch.from_numpy(keys.ravel() if finite is None else keys[finite])
            working["counts"].scatter_add_(0, kept, _ONE.expand(len(kept)))

    def _raise(self, working: Working, tops: NDArray[np.int32], start: int) -> None:
        """Let the bins of units from `start` on reach up to these exponents."""
        known = working["top"][start : start + len(tops)]
        rise = tops - known
        table = working["counts"].view(-1, BINS).numpy()
        for by in np.unique(rise[rise > 0]).tolist():
            which = start + np.flatnonzero(rise == by)
            table[which] = _moved(table[which], min(by << _MANTISSA, HALF))
        np.maximum(known, tops, out=known)

    def pack(self, scope: Scope, working: Working) -> Part:
        at = working["counts"].nonzero()[:, 0]
        counts = working["counts"][at].numpy()
        narrow = np.uint16 if counts.max(initial=0) < 2**16 else np.uint32
        unit, bins = np.divmod(at.numpy(), BINS)
        per_unit = np.bincount(unit, minlength=len(scope.units)).astype(np.uint16)
        top = working["top"].astype(np.uint8)
        return {"top": top, "bins": per_unit, "bin": bins.astype(np.uint16), "count": counts.astype(narrow)}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        self._raise(working, part["top"].astype(np.int32), 0)
        unit = np.repeat(np.arange(len(scope.units)), part["bins"])
        away = part["bin"].astype(np.int64) - HALF
        lower = (working["top"] - part["top"].astype(np.int32))[unit] << _MANTISSA
        bins = HALF + np.sign(away) * np.maximum(np.abs(away) - lower, 0)
        keys = torch.from_numpy(unit * BINS + bins)
        working["counts"].scatter_add_(0, keys, torch.from_numpy(part["count"].astype(np.int32)))

    def finish(self, scope: Scope, working: Working) -> Part:
        part = self.pack(scope, working)
        offset = np.concatenate([[0], np.cumsum(part["bins"], dtype=np.int64)])
        return {"offset": offset, "bin": part["bin"], "count": part["count"].astype(np.uint32), "top": part["top"]}

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        n = len(scope.units)
        return {"offset": (n + 1,), "top": (n,), "bin": (None,), "count": (None,)}

    def read(self, held: Held) -> Distribution:
        return Distribution(held)


@dataclass(frozen=True, eq=False)
class Distribution:
    """How the activations of units are distributed, as an index holds it; units by their numbers."""

    held: Held

    def counts(self, unit: int) -> NDArray[np.int64]:
        """(BINS,): the histogram of a unit."""
        offset, bins, count = (self.held[name] for name in ("offset", "bin", "count"))
        found: NDArray[np.int64] = counted(offset, bins, count, np.array([unit]))[0]
        return found

    def edges(self, unit: int) -> NDArray[np.float64]:
        """(BINS + 1,): where its bins begin and end."""
        return edges(int(self.held["top"][unit]))

    def quantiles(self, unit: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values below which these shares of its activations lie."""
        found: NDArray[np.float64] = quantiles(self.counts(unit)[None], shares, self.held["top"][unit : unit + 1])[0]
        return found


def _moved(counts: NDArray[np.int32], by: int) -> NDArray[np.int32]:
    """(units, BINS) with every bin that many bins nearer to zero: those that reach it are added up there."""
    found = np.zeros_like(counts)
    kept = HALF - by
    found[:, HALF] = counts[:, kept : HALF + by + 1].sum(1)
    found[:, HALF + 1 : HALF + 1 + kept] = counts[:, HALF + 1 + by :]
    found[:, HALF - kept : HALF] = counts[:, :kept]
    return found


def counted(
    offset: NDArray[np.int64], bins: NDArray[np.uint16], count: NDArray[np.uint32], units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(units, BINS): the whole histograms of some units, from the bins that are not empty."""
    found = np.zeros((len(units), BINS), np.int64)
    for row, unit in zip(found, units, strict=True):
        mine = slice(int(offset[unit]), int(offset[unit + 1]))
        row[bins[mine]] = count[mine]
    return found


def quantiles(
    counts: NDArray[np.integer[Any]], shares: NDArray[np.float64], tops: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """(units, len(shares)): the value below which each share of a unit's activations lies, linear within a bin."""
    totals = counts.sum(1, dtype=np.int64)
    below = np.cumsum(counts, axis=1, dtype=np.int64)
    found = np.full((len(counts), len(shares)), np.nan)
    for unit in np.nonzero(totals)[0]:
        ends = edges(int(tops[unit]))
        wanted = shares * totals[unit]
        at = np.minimum(np.searchsorted(below[unit], wanted, side="left"), counts.shape[1] - 1)
        inside = counts[unit, at]
        share = (wanted - (below[unit, at] - inside)) / np.maximum(inside, 1)
        value = ends[at] + share * (ends[at + 1] - ends[at])
        found[unit] = np.where(at == HALF, 0.0, value)
    return found
