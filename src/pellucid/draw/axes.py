"""Axes of plots: a range of numbers, round ticks in it, and a frame on the sheet that lines are drawn into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw.colors import Floats, Theme, distinct
from pellucid.draw.letters import number, width
from pellucid.draw.sheet import Rect, Shape, Sheet, Words

TICK = 9.0
"""Size of the numbers at an axis."""
FACTOR = 100.0
"""From the smallest to the largest: beyond, only a logarithmic axis shows both."""
_DECADES = 12  # of a logarithmic axis: what is smaller lies at its end
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_DOT = 16  # corners of a round mark


@dataclass(frozen=True)
class Span:
    """The numbers that an axis shows, from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, values: NDArray[Any], log: bool | None = None, air: float = 0.05, zero: bool = False) -> Span:
        """All finite values with some air around; logarithmic where asked, or where they span a factor of 100.

        With `zero` a range that begins close to zero begins there.
        """
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        above = known[known > 0]
        if log is None:
            log = wants_log(known)
        if log and above.size:
            high = float(above.max())
            low = max(float(above.min()), high / 10.0**_DECADES)
            factor = (high / low) ** air if high > low else 2.0
            return cls(low / factor, high * factor, True)
        if not known.size:
            return cls(0.0, 1.0)
        low, high = float(known.min()), float(known.max())
        if zero and 0 <= low < 0.4 * high:
            low = 0.0
        room = air * (high - low) if high > low else 0.05 * abs(high) or 0.5
        return cls(0.0 if zero and low == 0 else low - room, high + room)

    def at(self, values: NDArray[Any] | float | int) -> Floats:
        """Where values lie, 0..1 from low to high; NaN where they have no place, as zero has on a logarithmic axis."""
        found = np.asarray(values, np.float64)
        if not self.log:
            return np.asarray((found - self.low) / ((self.high - self.low) or 1.0))
        found = np.where(found > 0, found, np.nan)
        return np.asarray(np.log(found / self.low) / (math.log(self.high / self.low) or 1.0))

    def back(self, share: NDArray[Any] | float | int) -> Floats:
        """The values at shares of the axis."""
        share = np.asarray(share, np.float64)
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** share)
        return np.asarray(self.low + share * (self.high - self.low))

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most so many round numbers (at least two where there are), each with its text."""
        found = self._powers(most) if self.log else []
        if len(found) < 2:
            found = self._steps(most)
        return [(value, text) for value, text in found if -1e-9 <= float(self.at(value)) <= 1 + 1e-9]

    def _steps(self, most: int) -> list[tuple[float, str]]:
        span = self.high - self.low
        if not (span > 0 and math.isfinite(span)):
            return [(self.low, number(self.low))]
        power = 10.0 ** math.floor(math.log10(span / max(most, 1)))
        step = next((m * power for m in _STEPS if span / (m * power) <= most), 10 * power)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [k * step for k in range(first, last + 1)]
        if self.log:
            values = [value for value in values if value > 0]
        return [(value, _written(value, step, max(abs(self.low), abs(self.high)))) for value in values]

    def _powers(self, most: int) -> list[tuple[float, str]]:
        """Powers of ten, each nth where there are many; with 2 and 5 between them where there are few."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        every = max(math.ceil((last - first + 1) / max(most, 1)), 1)
        values = [10.0**k for k in range(first, last + 1) if k % every == 0]
        for parts in ((1, 2, 5), (1, 3)):
            finer = [m * 10.0**k for k in range(first - 1, last + 1) for m in parts]
            finer = [value for value in finer if self.low <= value <= self.high]
            if len(values) < 3 and len(finer) <= most:
                values = finer
        plain = all(1e-3 <= value < 1e5 for value in values)
        return [(value, f"{value:g}" if plain else _power(value)) for value in values]

    def levels(self, most: int = 15) -> list[tuple[float, str]]:
        """Round values that divide the range, as finely as so many allow."""
        if not self.log:
            return self.ticks(min(most, 12))
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for parts in ((1, 2, 5), (1, 3), (1,)):
            found = [m * 10.0**k for k in range(first, last + 1) for m in parts]
            found = [value for value in found if self.low < value < self.high]
            if len(found) <= most:
                plain = all(1e-3 <= value < 1e5 for value in found)
                return [(value, f"{value:g}" if plain else _power(value)) for value in found] or self.ticks(3)
        return self.ticks(most)

    def minor(self) -> list[float]:
        """Between the powers of ten, for small ticks that show that the axis is logarithmic."""
        if not self.log or self.high / self.low > 1e6:
            return []
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = [m * 10.0**k for k in range(first, last + 1) for m in range(1, 10)]
        return [value for value in every if self.low <= value <= self.high]


def wants_log(values: NDArray[Any]) -> bool:
    """Whether numbers are above zero and span more than a factor of 100."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return bool(known.size and known.min() > 0 and known.max() > FACTOR * known.min())


def spread_log(points: NDArray[Any]) -> bool:
    """Whether places on an axis are spaced by factors, such as 1, 10, 100 images."""
    known = np.unique(points[np.isfinite(points)])
    if known.size < 3 or known[0] <= 0 or known[-1] < 50 * known[0]:
        return False
    return bool((np.median(known) - known[0]) / (known[-1] - known[0]) < 0.15)


def _power(value: float) -> str:
    """A number as a power of ten, also where it could be written out, for its neighbors cannot."""
    power = math.floor(math.log10(value) + 1e-9)
    digits, raised = f"{value / 10.0**power:.2g}", str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value:g}" if power in (0, 1) else f"{'' if digits == '1' else f'{digits}·'}10{raised}"


def _written(value: float, step: float, largest: float) -> str:
    """A tick with the digits that its neighbors need."""
    if abs(value) < step * 1e-6:
        return "0"
    if largest >= 1e5 or step < 1e-4:
        return number(value)
    digits = next((n for n in range(6) if abs(step * 10**n - round(step * 10**n)) < 1e-6 * 10**n * step), 6)
    return f"{value:.{digits}f}".replace("-", "−")


@dataclass(frozen=True)
class Plot:
    """A frame on the sheet with both its axes."""

    rect: Rect
    x: Span
    y: Span

    def places(
        self, points: NDArray[Any] | Sequence[float | int], values: NDArray[Any] | Sequence[float | int]
    ) -> Floats:
        """(K, 2) on the sheet; NaN where a value has no place."""
        left, top, right, bottom = self.rect
        across = left + self.x.at(np.asarray(points, np.float64)) * (right - left)
        up = bottom - self.y.at(np.asarray(values, np.float64)) * (bottom - top)
        return np.stack([across, up], axis=-1)

    def framed(self, sheet: Sheet, theme: Theme, *, named: bool = True, grid: bool = True, most: int = 0) -> None:
        """Ticks, their numbers (across only where `named`) and faint lines through the frame."""
        left, top, right, bottom = self.rect
        for value, text in self.y.ticks(most or max(int((bottom - top) / 28), 2)):
            y = float(bottom - self.y.at(value) * (bottom - top))
            if grid:
                sheet.line((left, y), (right, y), theme.faint, 0.6)
            sheet.line((left - 3, y), (left, y), theme.quiet, 0.7)
            sheet.marks.append(Words(left - 6, y + 0.36 * TICK, text, TICK, theme.quiet, align="right"))
        for value in self.y.minor():
            y = float(bottom - self.y.at(value) * (bottom - top))
            sheet.line((left - 2, y), (left, y), theme.quiet, 0.4)
        ticks = self.x_ticks()
        for value, text in ticks:
            x = float(left + self.x.at(value) * (right - left))
            if grid:
                sheet.line((x, top), (x, bottom), theme.faint, 0.4)
            sheet.line((x, bottom), (x, bottom + 3), theme.quiet, 0.7)
            if named:
                sheet.marks.append(Words(x, bottom + 5 + TICK, text, TICK, theme.quiet, align="center"))
        sheet.line((left, top), (left, bottom), theme.quiet, 0.7)
        sheet.line((left, bottom), (right, bottom), theme.quiet, 0.7)

    def x_ticks(self) -> list[tuple[float, str]]:
        """As many numbers below the frame as have room beside one another."""
        long = self.rect[2] - self.rect[0]
        for most in range(max(min(int(long / 50), 10), 2), 1, -1):
            ticks = self.x.ticks(most)
            ends = [(float(self.x.at(v)) * long, width(text, TICK) / 2) for v, text in ticks]
            if all(b - q - (a + p) > 6 for (a, p), (b, q) in pairwise(ends)):
                return ticks
        return self.x.ticks(1)[:1]

    def inside(self, points: Floats) -> Floats:
        """Places moved up or down to the nearest in the frame."""
        _, top, _, bottom = self.rect
        return np.stack([points[:, 0], points[:, 1].clip(top, bottom)], axis=-1)

    def stretches(self, points: NDArray[Any], values: NDArray[Any]) -> list[Floats]:
        """The places in runs without a gap: a value that is not finite, or has no place, is one."""
        found = self.places(points, values)
        known = np.isfinite(found).all(-1)
        cuts = np.flatnonzero(np.diff(known.astype(int))) + 1
        return [run for run in np.split(found, cuts) if np.isfinite(run).all() and len(run)]

    def path(
        self, sheet: Sheet, points: NDArray[Any], values: NDArray[Any], color: str, line: float = 1.7,
        *, opacity: float = 1.0, dashes: tuple[float, ...] = (), dots: float = 0.0,
    ) -> None:  # fmt: skip
        """A line with gaps where nothing is known; what stands alone between gaps is a dot."""
        for run in self.stretches(points, values):
            if len(run) > 1:
                where = tuple(map(tuple, self.inside(run).tolist()))
                sheet.marks.append(Shape(where, None, color, line, opacity, closed=False, dashes=dashes))
            for x, y in self.inside(run).tolist() if dots or len(run) == 1 else ():
                dot(sheet, x, y, dots or line, color, opacity=opacity)

    def band(
        self,
        sheet: Sheet,
        points: NDArray[Any],
        values: NDArray[Any],
        errors: NDArray[Any],
        color: str,
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        """One error to either side of a line, in a light shade; cut at the frame, and at what can be."""
        low, high = ((values + sign * errors).clip(*bounds) for sign in (-1, 1))
        if self.y.log:
            low = np.where(np.isfinite(low), np.maximum(low, self.y.low), np.nan)
        for run in _together(self.places(points, low), self.places(points, high)):
            if len(run[0]) > 1:
                ring = np.concatenate([self.inside(run[0]), self.inside(run[1])[::-1]])
                sheet.marks.append(Shape(tuple(map(tuple, ring.tolist())), color, None, opacity=0.17))

    def whiskers(
        self,
        sheet: Sheet,
        points: NDArray[Any],
        values: NDArray[Any],
        errors: NDArray[Any],
        color: str,
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        """One error to either side of every point, as an upright line; cut at what can be."""
        low, high = (self.places(points, (values + sign * errors).clip(*bounds)) for sign in (-1, 1))
        low[:, 1] = np.where(np.isfinite(high[:, 1]) & np.isnan(low[:, 1]), self.rect[3], low[:, 1])
        for a, b in zip(self.inside(low).tolist(), self.inside(high).tolist(), strict=True):
            if np.isfinite([*a, *b]).all():
                sheet.line((a[0], a[1]), (b[0], b[1]), color, 1.0)


def _together(low: Floats, high: Floats) -> list[tuple[Floats, Floats]]:
    """Two lines in runs where both are known."""
    known = np.isfinite(low).all(-1) & np.isfinite(high).all(-1)
    cuts = np.flatnonzero(np.diff(known.astype(int))) + 1
    return [(a, b) for a, b, k in zip(np.split(low, cuts), np.split(high, cuts), np.split(known, cuts), strict=True)
            if k.size and k[0]]  # fmt: skip


def dot(
    sheet: Sheet, x: float, y: float, radius: float, fill: str | None, edge: str | None = None,
    *, line: float = 1.0, opacity: float = 1.0,
) -> None:  # fmt: skip
    """A round mark."""
    turns = np.linspace(0, 2 * np.pi, _DOT, endpoint=False)
    ring = tuple((float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in turns)
    sheet.marks.append(Shape(ring, fill, edge, line, opacity))


def line_colors(count: int, theme: Theme) -> tuple[str, ...]:
    """Colors of so many lines, each moved toward the ink until it stands out from the paper."""
    return tuple(_seen(color, theme) for color in distinct(count, theme.dark))


def _seen(color: str, theme: Theme) -> str:
    paper, ink, least = _linear(theme.paper), np.array(_rgb(theme.ink)), 4.0 if theme.dark else 2.2
    for share in np.linspace(0, 0.6, 13):
        mixed = (1 - share) * np.array(_rgb(color)) + share * ink
        found = "#" + "".join(f"{round(255 * part):02x}" for part in mixed)
        one, other = sorted((_linear(found), paper))
        if (other + 0.05) / (one + 0.05) >= least:
            return found
    return theme.ink


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _linear(color: str) -> float:
    """Relative luminance."""
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in _rgb(color)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
