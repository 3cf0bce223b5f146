"""Ramps: numbers of a range as colors, linear or logarithmic, and the bar that says so."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw.axes import TICK, Span
from pellucid.draw.colors import STEPS, Floats, Theme, colored
from pellucid.draw.letters import shortened, width
from pellucid.draw.overlay import eight_bit
from pellucid.draw.sheet import Shape, Sheet, Words

_THICK, _ARROW = 11.0, 6.0
ROOM = 84.0
"""How wide the bar is with its numbers and its name."""


@functools.cache
def surface_colors(dark: bool) -> Floats:
    """(513, 3) in 0..1: blue over teal and green to light yellow, lightness in even steps; low is dark on any paper."""
    way = np.linspace(0, 1, STEPS)
    low, high = (0.33, 0.94) if dark else (0.3, 0.955)
    hue = np.radians(285.0 - 185.0 * way**0.95)
    chroma = 0.135 - 0.03 * np.cos(2 * np.pi * way) * (1 - way)
    return colored(low + (high - low) * way, chroma, hue)


@dataclass(frozen=True, eq=False)
class Ramp:
    """How numbers become colors: from one end of the range to the other; `above` where some lie beyond it."""

    span: Span
    table: Floats
    above: bool = False

    def share(self, values: NDArray[Any]) -> Floats:
        """0..1; what has no place on a logarithmic axis at its low end, NaN as well."""
        values = np.asarray(values, np.float64)
        found = self.span.at(np.where(np.isinf(values), np.nan, values))
        found = np.where(np.isposinf(values), 1.0, np.nan_to_num(found, nan=0.0))
        return np.asarray(found.clip(0, 1))

    def color(self, values: NDArray[Any]) -> Floats:
        """(..., 3) in 0..1."""
        return np.asarray(self.table[np.rint(self.share(values) * (len(self.table) - 1)).astype(int)])


def ramp_bar(
    sheet: Sheet, left: float, top: float, height: float, ramp: Ramp, unit: str, theme: Theme,
    levels: Floats | None = None,
) -> None:  # fmt: skip
    """A bar with round ticks and what the numbers are; with `levels` in steps, as the picture shows them."""
    rows = sheet.pixels(height - _ARROW)
    share = np.linspace(1, 0, rows)
    if levels is not None:
        bounds = ramp.span.at(levels)
        middles = banded(bounds)
        share = middles[np.searchsorted(bounds, share, side="right")]
    shade = ramp.table[np.rint(share.clip(0, 1) * (STEPS - 1)).astype(int)]
    pixels = eight_bit(np.repeat(shade[:, None], sheet.pixels(_THICK), axis=1))
    box = sheet.photo(left, top + _ARROW, pixels)
    if ramp.above:
        fill = "#" + "".join(f"{int(c):02x}" for c in pixels[0, 0])
        tip = ((box[0], box[1]), (box[2], box[1]), ((box[0] + box[2]) / 2, box[1] - _ARROW))
        sheet.marks.append(Shape(tip, fill, fill, 0.5))
    sheet.box(box, edge=theme.quiet, line=0.5)
    end = box[2]
    for value, text in ramp.span.ticks(max(int(height / 30), 2)):
        y = float(box[3] - ramp.span.at(value) * (box[3] - box[1]))
        sheet.line((box[2], y), (box[2] + 3, y), theme.quiet, 0.7)
        sheet.marks.append(Words(box[2] + 5, y + 0.36 * TICK, text, TICK, theme.quiet))
        end = max(end, box[2] + 5 + width(text, TICK))
    if unit:
        text = shortened(unit, TICK, height)
        middle = max((box[1] + box[3]) / 2, top)
        sheet.marks.append(Words(end + 4 + TICK, middle, text, TICK, theme.quiet, align="center", upright=True))


def banded(bounds: Floats) -> Floats:
    """Of the bands between levels (shares, ascending), below the first and above the last: the share of its color."""
    ends = np.concatenate([[0.0], bounds.clip(0, 1), [1.0]])
    return np.asarray((ends[:-1] + ends[1:]) / 2)
