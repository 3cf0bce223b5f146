"""Tables: short ones row by row with bars beside the numbers, long ones as a strip of bars for each column."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.colors import Theme
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.lengths import Axis, axis_of, numbers_of
from pellucid.draw.letters import number, readable, shortened, width
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Shape, Sheet, Words
from pellucid.draw.study_page import study_page
from pellucid.errors import PellucidError
from pellucid.result import Table
from pellucid.result.table import Cell

_SHORT = 40  # rows that are read one by one
_ROW = 17.0
_BAR = 84.0
_STRIP, _LONG = 74.0, 900.0  # height and length of a strip
_WIDEST = 190.0  # column of words
_FIRST = 16  # rows of a table that stands among other things


def cell(value: Cell) -> str:
    """One value for eyes: three digits, a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


@drawing(Table)
def draw_table(result: Table, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The columns that are pictured as bars, in the order of the rows; what should be known of them above."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a table is not drawn over images: draw it without over=")
    if not len(result):
        raise PellucidError("the table has no rows: there is nothing to draw")
    title = title or words.title_of(result.meta)
    short = len(result) <= _SHORT
    layout = _layout(result) if short else {}
    wide = sum(layout.values()) if short else _LONG + 60
    sheet = Sheet.sized(max(wide, 420.0) + 2 * MARGIN, look.theme.paper)
    meta = result.meta
    unit = next((facts["target"] for facts in meta.nouns.values() if {"target", "layer"} <= facts.keys()), None)
    about = unit or (f"layer {meta.layer}" if meta.layer else "")
    below = words.below(meta, about)
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look, look.theme.warning if result.highlighted else look.theme.ink)
    y = _rows(sheet, y + 8, result, layout, look) if short else _strips(sheet, y + 8, result, look)
    origins = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    notes = [*_meanings(result), *origins]
    sheet.height = footnotes(sheet, y + 8, notes, look) + MARGIN
    alt = f"{title}: {len(result)} rows. {'. '.join(result.findings)}".rstrip(". ") + "."
    said = {"TITLE": title, "ABOUT": below, "ALT": alt}

    def page() -> bytes:
        rows = dataclasses.replace(result, findings=())
        return study_page({"rows": rows}, result.findings, origins, said, words.names_in(result), dark=dark)

    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)


def cut(table: Table) -> Table:
    """The first rows, without the columns in which nothing is known, or which say the same word in every row."""
    known = {
        name: values[:_FIRST]
        for i, (name, values) in enumerate(table.columns.items())
        if any(value not in (None, "") for value in values[:_FIRST])
        and not (i and len(values) > 1 and isinstance(values[0], str) and len(set(values)) == 1)
    }
    pictured = tuple(name for name in table.plot_columns if name in known)
    marked = tuple(i for i in table.highlighted if i < _FIRST)
    errors = {name: error for name, error in table.errors.items() if error in known}
    return dataclasses.replace(table, columns=known, plot_columns=pictured, highlighted=marked, errors=errors)


def headline(name: str, shown: Table, table: Table) -> str:
    """The name of a table, and how much of it is shown."""
    more = f": the first {len(shown)} of {len(table)}" if len(table) > len(shown) else ""
    return f"{readable(name)}{more}"


def wide(result: Table) -> float:
    """How wide a table is that is drawn row by row."""
    return sum(_layout(result).values()) - 16


def tabled(sheet: Sheet, y: float, result: Table, look: Look) -> float:
    """A table row by row at `y` of a sheet that has more on it, and what its columns mean; returns where it ends."""
    y = _rows(sheet, y, result, _layout(result), look)
    return footnotes(sheet, y + 4, _meanings(result), look)


def _layout(result: Table) -> dict[str, float]:
    """How wide each column is, its bar included."""
    found = {}
    for name, values in result.columns.items():
        bold = 1.06  # marked rows are set in bold
        text = max(width(readable(name), SMALL, True), *(bold * width(cell(v), BODY - 1, True) for v in values))
        found[name] = min(text, _WIDEST) + 16 + (_BAR + 8 if name in result.plot_columns else 0)
    return found


def _rows(sheet: Sheet, y: float, result: Table, layout: dict[str, float], look: Look) -> float:
    """A line for each row; returns where they end."""
    theme, lefts, left = look.theme, {}, MARGIN
    for name, wide in layout.items():
        lefts[name], left = left, left + wide
        right = not _wordy(result.columns[name]) and name not in result.plot_columns
        x = lefts[name] + (wide - 16 if right else 0)
        sheet.lines(x, y, [readable(name)], SMALL, theme.quiet, bold=True, align="right" if right else "left")
    axes = {name: axis_of(result, name) for name in result.plot_columns}
    y += 17
    for i, row in enumerate(result.rows):
        marked = i in result.highlighted
        sheet.line((MARGIN, y - 1), (left - 16, y - 1), theme.faint, 0.5)
        for name, value in row.items():
            ink = theme.warning if marked else theme.ink if value is not None else theme.quiet
            x, align = lefts[name], "left"
            if name in axes:
                _bar(sheet, x, y, axes[name], float(numbers_of([value])[0]), marked, theme)
                if name in result.errors:
                    _whisker(sheet, x, y, axes[name], numbers_of([value, row[result.errors[name]]]), theme)
                x += _BAR + 8
            elif not _wordy(result.columns[name]):
                x, align = lefts[name] + layout[name] - 16, "right"
            text = shortened(cell(value), BODY - 1, _WIDEST)
            sheet.lines(x, y, [text], BODY - 1, ink, align=align)  # type: ignore[arg-type]
        y += _ROW
    return y


def _wordy(values: Sequence[Cell]) -> bool:
    return any(isinstance(value, str) for value in values)


def _bar(sheet: Sheet, x: float, y: float, axis: Axis, value: float, marked: bool, theme: Theme) -> None:
    """One lying bar in a row."""
    ends = axis.ends(value)
    start = x + axis.zero * _BAR
    sheet.line((start, y + 1), (start, y + _ROW - 3), theme.quiet, 0.6)
    if ends and ends[1] > ends[0]:
        fill = theme.warning if marked else theme.accent
        sheet.box((x + ends[0] * _BAR, y + 2.5, x + ends[1] * _BAR, y + _ROW - 4.5), fill=fill)


def _whisker(sheet: Sheet, x: float, y: float, axis: Axis, known: NDArray[np.float64], theme: Theme) -> None:
    """One standard error to either side of a bar's end; (value, error)."""
    if axis.log or not np.isfinite(known).all():
        return
    ends = [x + _BAR * axis.at(float(known[0] + side * known[1])) for side in (-1, 1)]
    middle = y + (_ROW - 2) / 2
    sheet.line((ends[0], middle), (ends[1], middle), theme.ink, 1.0)
    for end in ends:
        sheet.line((end, middle - 2), (end, middle + 2), theme.ink, 1.0)


def _strips(sheet: Sheet, y: float, result: Table, look: Look) -> float:
    """A strip of standing bars for each pictured column, the rows from left to right; returns where they end."""
    theme, count = look.theme, len(result)
    step, left = _LONG / count, MARGIN + 46
    thick = max(step * 0.8, step - 2)
    for name in result.plot_columns:
        values = numbers_of(result.columns[name])
        axis = Axis(values)
        said = f"{readable(name)}{' (in powers of ten)' if axis.log else ''}"
        y = sheet.lines(MARGIN, y, [said], BODY, theme.ink, bold=True) + 5
        base = y + _STRIP * (1 - axis.zero)
        for i, value in enumerate(values):
            ends = axis.ends(float(value))
            x = left + i * step
            if i in result.highlighted:
                sheet.box((x, y, x + step, y + _STRIP), fill=theme.warning, opacity=0.13)
            if ends is None:
                continue
            fill = theme.warning if i in result.highlighted else theme.accent
            top, bottom = y + _STRIP * (1 - ends[1]), y + _STRIP * (1 - ends[0])
            if bottom > top:
                sheet.marks.append(Shape(((x, top), (x + thick, top), (x + thick, bottom), (x, bottom)), fill))
        sheet.line((left, base), (left + _LONG, base), theme.quiet, 0.7)
        _ticks(sheet, left - 6, y, axis, theme)
        y += _STRIP + GAP
    return _names(sheet, left, y - 6, step, result, theme)


def _ticks(sheet: Sheet, right: float, top: float, axis: Axis, theme: Theme) -> None:
    """The ends of a strip's axis, and its zero."""
    marks = [(0.0, axis.low), (1.0, axis.high)]
    if axis.low < 0 < axis.high:
        marks.append((axis.zero, 0.0))
    placed: list[float] = []
    for share, value in sorted(marks, key=lambda mark: mark[1] != 0):
        at = top + _STRIP * (1 - share) + 3
        if all(abs(at - other) > SMALL for other in placed):
            placed.append(at)
            sheet.marks.append(Words(right, at, number(value), SMALL - 1, theme.quiet, align="right"))


def _names(sheet: Sheet, left: float, y: float, step: float, result: Table, theme: Theme) -> float:
    """Names of rows, upright, as many as there is room for: of marked rows first; returns where they end."""
    names = [cell(value) for value in next(iter(result.columns.values()))]
    every = max(math.ceil((SMALL + 2) / step), 1)
    starts = [i for i in result.highlighted if i - 1 not in result.highlighted]
    taken: list[int] = []
    for i in [*starts, *range(0, len(names), every)]:
        if all(abs(i - other) >= every for other in taken):
            taken.append(i)
    texts = {i: shortened(names[i], SMALL - 0.5, 130.0) for i in taken}
    longest = max(width(text, SMALL - 0.5) for text in texts.values())
    for i, text in texts.items():
        x, color = left + (i + 0.5) * step, theme.warning if i in result.highlighted else theme.quiet
        sheet.line((x, y - 2), (x, y + 2), theme.faint, 0.6)
        long = width(text, SMALL - 0.5)
        sheet.marks.append(Words(x + 3, y + 5 + long, text, SMALL - 0.5, color, upright=True))
    return y + longest + 10


def _meanings(result: Table) -> list[str]:
    """What the pictured columns are."""
    parts = [
        f"{readable(name)}: {result.column_help[name]}" for name in result.plot_columns if name in result.column_help
    ]
    return [f"{'. '.join(parts)}."] if parts else []
