"""Grids: a color for each pair of a row and a column, with a bar that says what the colors are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.axes import Span
from pellucid.draw.colors import Floats, Theme, diverging
from pellucid.draw.curve import WIDE
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, shortened, width
from pellucid.draw.look import Look
from pellucid.draw.overlay import eight_bit
from pellucid.draw.picture import Picture
from pellucid.draw.ramp import ROOM, Ramp, ramp_bar, surface_colors
from pellucid.draw.sheet import Pixels, Rect, Sheet, Words
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Grid

_NAMES = 190.0  # room for the names of rows
_TALL, _LOW = 24.0, 3.0  # of a row, in units
_WIDE, _ROOMY = 64.0, 92.0  # of a column; of few that say their numbers
_WRITTEN = 400  # cells up to which each has its number, where that has room
_HIGH = 620.0


@drawing(Grid)
def draw_grid(result: Grid, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """A cell for each row and column; small grids say their numbers."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a grid is not drawn over images: draw it without over=")
    if not result.values.size:
        raise PellucidError("the grid is empty: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(min(max(_across(result), 420.0), WIDE) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, " · ".join(filter(None, [result.meta.target, unplaced(result.meta.net)])), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 4
    y = gridded(sheet, y, result, look)
    notes = [*how_read(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + 4, notes, look) + MARGIN
    alt = f"{title}: {said(result)}"
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def said(result: Grid) -> str:
    """A grid in words: what its cells are, from the least to the largest, and its findings."""
    known = result.values[np.isfinite(result.values)]
    ends = f"from {number(float(known.min()))} to {number(float(known.max()))}" if known.size else "nothing measured"
    told = f" {'. '.join(one.rstrip('.') for one in result.findings)}." if result.findings else ""
    what = f"{result.quantity or 'values'} of {len(result.rows)} rows and {len(result.columns)} columns"
    return f"{what}, {ends}.{told}"


def gridded(sheet: Sheet, y: float, result: Grid, look: Look) -> float:
    """The cells of a grid with their names and a bar, at `y` of a sheet; returns where they end."""
    theme, (high, wide) = look.theme, result.values.shape
    ramp = ramp_of(result, theme)
    room = _names(result)
    left = MARGIN + room + (SMALL + 10 if result.row_axis else 0)
    cell = min((sheet.width - MARGIN - ROOM - left) / wide, _most(result))
    tall = float(np.clip(_HIGH / high, _LOW, _TALL))
    pixels = _cells(result.values, ramp, theme, (max(sheet.pixels(tall), 2), max(sheet.pixels(cell), 1)))
    written = _written(result, cell, tall)
    if written:
        rect = _boxes(sheet, (left, y), (tall, cell), result, ramp, written, theme)
    else:
        rect = sheet.photo(left, y, pixels)
        sheet.box(rect, edge=theme.faint, line=0.6)
    _row_names(sheet, rect, result, room, look)
    end = _column_names(sheet, rect, result, look)
    long = float(np.clip(rect[3] - rect[1], 110.0, 300.0))
    ramp_bar(sheet, rect[2] + 12, y, long, ramp, result.quantity, theme)
    return max(end, y + long + 14)


def _names(result: Grid) -> float:
    """Room for the names of rows."""
    return min(max(width(name, SMALL) for name in result.rows), _NAMES) + 8


def _most(result: Grid) -> float:
    """How wide a column may be."""
    return _ROOMY if result.values.shape[1] <= 8 else _WIDE


def _across(result: Grid) -> float:
    """How wide a grid is with its names and its bar, if it may be."""
    return _names(result) + SMALL + 10 + len(result.columns) * _most(result) + ROOM + 12


def how_read(result: Grid) -> list[str]:
    """What of the numbers the colors do not show."""
    values, told = result.values, []
    missing, wild = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if missing:
        told.append(f"Hatched, or a dash: {missing} {'cell was' if missing == 1 else 'cells were'} not measured.")
    if wild:
        told.append(f"{wild} {'value is' if wild == 1 else 'values are'} infinite: at the ends of the colors.")
    below = int((values <= 0).sum()) - int(np.isneginf(values).sum())
    if result.log and below:
        told.append(f"{below} {'value is' if below == 1 else 'values are'} not above zero: in the lowest color.")
    if result.center is not None:
        steps = "factors" if result.log else "differences"
        told.append(f"Colors: equal {steps} from {number(result.center)} to either side, red above and blue below.")
    return [" ".join(told)] if told else []


def ramp_of(result: Grid, theme: Theme) -> Ramp:
    """The colors of a grid: from the smallest to the largest, or as far to both sides of the center."""
    values = result.values
    span = Span.of(values, result.log, air=0.0)
    log = span.log
    if result.center is None or (log and result.center <= 0):
        return Ramp(span, surface_colors(theme.dark))
    known = values[np.isfinite(values) & ((values > 0) | (not log))]
    if log:
        factor = math.exp(float(np.abs(np.log(known / result.center)).max(initial=0.0))) or 1.0
        factor = min(max(factor, 1.001), 1e12)
        return Ramp(Span(result.center / factor, result.center * factor, True), diverging(theme.dark))
    reach = float(np.abs(known - result.center).max(initial=0.0)) or 1.0
    return Ramp(Span(result.center - reach, result.center + reach), diverging(theme.dark))


def _cells(values: NDArray[Any], ramp: Ramp, theme: Theme, size: tuple[int, int]) -> Pixels:
    """The grid as device pixels; what was not measured is hatched."""
    shown = np.repeat(np.repeat(ramp.color(values), size[0], 0), size[1], 1)
    broken = np.repeat(np.repeat(np.isnan(values), size[0], 0), size[1], 1)
    if broken.any():
        y, x = np.indices(broken.shape)
        light, dark = (0.2, 0.32) if theme.dark else (0.93, 0.8)
        stripe = np.where((x + y) % 10 < 4, dark, light)[..., None]
        shown = np.where(broken[..., None], stripe, shown)
    return eight_bit(shown)


def _written(result: Grid, cell: float, tall: float) -> list[list[str]]:
    """The numbers of a small grid as texts; none where they have no room."""
    if result.values.size > _WRITTEN or tall < SMALL + 4:
        return []
    texts = [[number(float(v)) if np.isfinite(v) else "–" if np.isnan(v) else "∞" for v in row]
             for row in result.values]  # fmt: skip
    fits = max(width(text, SMALL) for row in texts for text in row) + 6 <= cell
    return texts if fits else []


def _boxes(
    sheet: Sheet, corner: tuple[float, float], size: tuple[float, float], result: Grid, ramp: Ramp,
    texts: list[list[str]], theme: Theme,
) -> Rect:  # fmt: skip
    """Cells with their numbers."""
    (left, top), (tall, wide) = corner, size
    colors = ramp.color(result.values)
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            color, known = colors[i, j], not np.isnan(result.values[i, j])
            x, y = left + j * wide, top + i * tall
            fill = _hex(color) if known else None
            sheet.box((x, y, x + wide - 1, y + tall - 1), fill=fill, edge=None if known else theme.faint, line=0.6)
            light = float(color @ np.array([0.2126, 0.7152, 0.0722])) > 0.5
            ink = ("#1d2430" if light else "#ffffff") if known else theme.quiet
            sheet.marks.append(Words(x + wide / 2, y + tall / 2 + 0.34 * SMALL, text, SMALL, ink, align="center"))
    high, across = result.values.shape
    return left, top, left + across * wide - 1, top + high * tall - 1


def _row_names(sheet: Sheet, rect: Rect, result: Grid, room: float, look: Look) -> None:
    """Names at the left, every nth where there are many, and what they are."""
    left, top, _, bottom = rect
    step = (bottom - top) / len(result.rows)
    every = max(math.ceil((SMALL + 2.5) / step), 1)
    for i in range(0, len(result.rows), every):
        middle = top + (i + 0.5) * step
        text = shortened(result.rows[i], SMALL, room - 8)
        sheet.marks.append(Words(left - 6, middle + 0.36 * SMALL, text, SMALL, look.theme.quiet, align="right"))
        if every > 1:
            sheet.line((left - 4, middle), (left - 1, middle), look.theme.quiet, 0.6)
    if result.row_axis:
        text = shortened(result.row_axis, BODY, max(bottom - top, 60.0))
        middle = max((top + bottom) / 2, top + width(text, BODY) / 2)
        x = left - room - 8
        sheet.marks.append(Words(x, middle, text, BODY, look.theme.quiet, align="center", upright=True))


def _column_names(sheet: Sheet, rect: Rect, result: Grid, look: Look) -> float:
    """Names below, level where they have room and upright where not, and what they are; returns where they end."""
    left, _, right, bottom = rect
    step = (right - left) / len(result.columns)
    longest = max(width(name, SMALL) for name in result.columns)
    numeric = all(name.replace(".", "").replace("−", "").replace("-", "").replace(",", "").isdigit()
                  for name in result.columns)  # fmt: skip
    level = longest + 8 <= step or numeric
    every = max(math.ceil((longest + 8) / step), 1) if level else max(math.ceil((SMALL + 2.5) / step), 1)
    end = bottom
    for j in range(0, len(result.columns), every):
        middle = left + (j + 0.5) * step
        sheet.line((middle, bottom + 1), (middle, bottom + 4), look.theme.quiet, 0.6)
        if level:
            x = max(middle, left + width(result.columns[j], SMALL) / 2 - 20)
            sheet.marks.append(
                Words(x, bottom + 7 + 0.93 * SMALL, result.columns[j], SMALL, look.theme.quiet, align="center")
            )
            end = max(end, bottom + 9 + SMALL)
        else:
            text = shortened(result.columns[j], SMALL, 130.0)
            base = bottom + 7 + width(text, SMALL)
            sheet.marks.append(Words(middle + 0.36 * SMALL, base, text, SMALL, look.theme.quiet, upright=True))
            end = max(end, base)
    if result.column_axis:
        text = shortened(result.column_axis, BODY, sheet.width - 2 * MARGIN)
        x = max((left + right) / 2, MARGIN + width(text, BODY) / 2)
        end = sheet.lines(x, end + 5, [text], BODY, look.theme.quiet, align="center")
    return end + 6


def _hex(color: Floats) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in color)
