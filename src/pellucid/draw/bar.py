"""The color bar: what the colors mean, in the map's own unit."""

from __future__ import annotations

import math

import numpy as np

from pellucid.draw.colors import Scale, Theme
from pellucid.draw.letters import LEADING, number, width, wrapped
from pellucid.draw.overlay import eight_bit, strength
from pellucid.draw.sheet import Pixels, Rect, Shape, Sheet, Words

_THICK, _SIZE, _ARROW = 9.0, 9.5, 6.0
_TICKS = 31.0  # as wide as −0.25
ROOM = 74.0
"""How wide a color bar is with its numbers and its unit."""


def ticks(scale: Scale) -> list[float]:
    """Few round numbers that the colors reach, zero among them."""
    if not scale.limit:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(scale.limit))
    step = max((m * power for m in (1, 2, 2.5, 5) if m * power <= scale.limit * 0.96), default=power / 2)
    found = [0.0, step] if 2 * step > scale.limit * 0.96 else [0.0, step, 2 * step]
    return sorted({-t for t in found if t} | set(found)) if scale.view == "signed" else found


def exponent(limit: float) -> int:
    """The power of ten that stands beside the unit, so that the ticks are short."""
    if not limit or 0.01 <= limit < 10_000:
        return 0
    return 3 * math.floor(math.log10(limit) / 3)


def color_bar(
    sheet: Sheet, left: float, top: float, height: float, scale: Scale, unit: str, theme: Theme,
    opacity: float | None = None,
) -> None:  # fmt: skip
    """A bar with ticks and its unit; over a photo (`opacity`) it shows the colors as they look there."""
    rows = sheet.pixels(height - 2 * _ARROW)
    low = -1.0 if scale.view == "signed" else 0.0
    position = np.repeat(np.linspace(1, low, rows)[:, None], sheet.pixels(_THICK), axis=1)
    shown = scale.color(position)
    if opacity is not None:
        cover = strength(position, opacity, scale.vivid)[..., None]
        shown = shown * cover + (0.3 if theme.dark or scale.vivid else 0.78) * (1 - cover)
    pixels = eight_bit(shown)
    box = sheet.photo(left, top + _ARROW, pixels)
    if scale.clipped:
        _arrows(sheet, box, pixels, both=scale.view == "signed")
    sheet.box(box, edge=theme.quiet, line=0.5)
    power = exponent(scale.limit)
    right = box[2] + 5 + _TICKS  # the units of several bars stand in one line
    for tick in ticks(scale):
        share = (tick / scale.limit - low) / (1 - low) if scale.limit else 0.5 if low else 0.0
        y = box[3] - share * (box[3] - box[1])
        sheet.line((box[2], y), (box[2] + 3, y), theme.quiet, 0.7)
        text = number(-tick / 10**power if scale.view == "negative" and tick else tick / 10**power)
        sheet.marks.append(Words(box[2] + 5, y + 0.36 * _SIZE, text, _SIZE, theme.ink if not tick else theme.quiet))
        right = max(right, box[2] + 5 + width(text, _SIZE))
    _unit(sheet, right + 4, (box[1] + box[3]) / 2, height + 12, unit, power, theme)


def _unit(sheet: Sheet, left: float, middle: float, room: float, unit: str, power: int, theme: Theme) -> None:
    raised = "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(c)] for c in str(power))
    text = f"10{raised} {unit}" if power else unit
    if text:
        long = width(text, _SIZE)
        # Two lines of about the same length, where one is too long.
        evenly = room if long <= room else min(room, 0.6 * long)
        for i, line in enumerate(wrapped(text, _SIZE, evenly, lines=2)):
            x = left + _SIZE + i * _SIZE * LEADING
            sheet.marks.append(Words(x, middle, line, _SIZE, theme.quiet, align="center", upright=True))


def _arrows(sheet: Sheet, box: Rect, pixels: Pixels, *, both: bool) -> None:
    """Points on a bar whose map goes on beyond the colors."""
    left, top, right, bottom = box
    ends = [(top, top - _ARROW, pixels[0, 0])] + ([(bottom, bottom + _ARROW, pixels[-1, 0])] if both else [])
    for start, tip, color in ends:
        fill = "#" + "".join(f"{int(c):02x}" for c in color)
        sheet.marks.append(Shape(((left, start), (right, start), ((left + right) / 2, tip)), fill, fill, 0.5))
