"""Curves: a plot for each quantity over one axis, the lines with their errors, what a reader should know on top."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pellucid.described import Default
from pellucid.draw import words
from pellucid.draw.axes import TICK, Plot, Span, dot, line_colors, spread_log
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, checked, findings, footnotes, heading
from pellucid.draw.letters import LEADING, number, shortened, width
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Shape, Sheet, Words
from pellucid.errors import PellucidError
from pellucid.result import Curve, Line, Mark

WIDE = 760.0
"""How wide the plots of a curve are, with their names."""
_HIGH = {1: 300.0, 2: 210.0, 3: 165.0}  # of a plot, for so many below one another
_LEAST = 130.0
_LEFT, _BETWEEN = 58.0, 16.0
_NAMES = 200.0  # room beside the plot for the names of lines
_STEP = SMALL * LEADING + 1  # from name to name
_DOTS = 30  # points of a line up to which each is seen

Log = Annotated[
    bool | None,
    Field(description="logarithmic axis of the values"),
    Default("where all are above zero and span a factor of 100"),
]


@drawing(Curve)
def draw_curve(
    result: Curve, over: Any = None, *, title: str | None = None, dark: bool = False, log: Log = None
) -> Picture:
    """A plot for each quantity, one below the other; failed checks and findings above them.

    Lines of one group have one color; dashed is what is compared with, faint one of many repetitions. The names stand
    at the ends of the lines, or below where there are too many.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a curve is not drawn over images: draw it without over=")
    if not len(result):
        raise PellucidError("the curve has no lines: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(WIDE + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, words.below(result.meta, result.meta.target), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result))
    y = curved(sheet, y, result, look, log)
    notes = [*read(result, log), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + 4, notes, look) + MARGIN
    alt = f"{title}: {said(result)}"
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def curved(sheet: Sheet, y: float, result: Curve, look: Look, log: bool | None = None) -> float:
    """The plots of a curve, and what of it did not agree, at `y` of a sheet; returns where they end."""
    y = checked(sheet, y, result.checks, look) + 4
    colors, names = _colors(result, look), result.quantities
    points = np.concatenate([line.points for line in result.lines] or [np.zeros(0)])
    across = Span.of(points, spread_log(points), air=0.015)
    beside = {quantity: _beside(result, quantity) for quantity in names}
    room = max((_room(labels) for labels in beside.values()), default=0.0)
    right = sheet.width - MARGIN - room - (10 if room else 0)
    tops, first = [], True
    for quantity in names:
        lines = [line for line in result.lines if line.quantity == quantity]
        y = sheet.lines(MARGIN, y, [quantity], BODY, look.theme.ink, bold=True) + 4 if quantity else y
        if first and result.marks:
            y = _texts(sheet, y, result.marks, (MARGIN + _LEFT, right), across, look)
        first = False
        high = _HIGH.get(len(names), _LEAST)
        if beside[quantity]:
            high = max(high, len(beside[quantity]) * _STEP)
        plot = Plot((MARGIN + _LEFT, y, right, y + high), across, _span(lines, log))
        last = quantity == names[-1]
        plot.framed(sheet, look.theme, named=last)
        tops.append((y, y + high))
        for one in result.marks:
            _mark(sheet, plot, one, look)
        for line in sorted(lines, key=lambda one: one.style != "faint"):
            _line(sheet, plot, line, colors[_key(line)], len(lines))
        if beside[quantity]:
            _labels(sheet, plot, beside[quantity], colors, look)
        y += high + (TICK + 10 if last else 6)
        if last:
            axis, middle = shortened(result.axis, BODY, right - MARGIN - _LEFT), (MARGIN + _LEFT + right) / 2
            y = sheet.lines(middle, y, [axis], BODY, look.theme.quiet, align="center") + 4
        if not beside[quantity]:
            y = _legend(sheet, y, _named(result, quantity), colors, look)
        y += _BETWEEN if not last else 0
    return y


def read(result: Curve, log: bool | None = None) -> list[str]:
    """How the plots are to be read, and what of the numbers they do not show."""
    told = []
    if any(line.errors is not None for line in result.lines):
        told.append("Bands and bars: ± 1 standard error.")
    if any(line.style == "faint" for line in result.lines):
        told.append("Faint: single repetitions.")
    values = [np.asarray(line.values, np.float64) for line in result.lines]
    gaps, wild = (sum(int(test(one).sum()) for one in values) for test in (np.isnan, np.isinf))
    lost = result.meta.found.get("undefined")
    lost = min(lost, gaps) if isinstance(lost, int) else 0
    if lost:
        told.append(
            f"Gaps: {lost} {'point was' if lost == 1 else 'points were'} measured, and no finite number came out."
        )
    if gaps > lost:
        gaps -= lost
        told.append(f"Gaps: {gaps} {'point was' if gaps == 1 else 'points were'} not measured.")
    if wild:
        told.append(f"{wild} {'value is' if wild == 1 else 'values are'} infinite and not drawn.")
    below = sum(int((line.values <= 0).sum()) for line in result.lines if _is_log(line, result, log))
    if below:
        told.append(f"{below} {'value is' if below == 1 else 'values are'} not above zero, so the axis has no place.")
    agreed = [check.name for check in result.checks if check.passed]
    if agreed:
        told.append(f"Checks that agree: {', '.join(agreed)}.")
    return [" ".join(told)] if told else []


def said(result: Curve) -> str:
    """A curve in words: its findings, else what the lines are."""
    failed = [f"check failed, {check}" for check in result.checks if not check.passed]
    if result.findings or failed:
        return ". ".join(one.rstrip(".") for one in (*failed, *result.findings)) + "."
    parts = []
    for line in result.lines[:6]:
        known = line.values[np.isfinite(line.values)]
        ends = f" from {number(float(known[0]))} to {number(float(known[-1]))}" if known.size else " not measured"
        parts.append(f"{line.name}{ends}")
    more = f", and {len(result.lines) - 6} more lines" if len(result.lines) > 6 else ""
    return f"{'; '.join(parts)}{more}; over {result.axis}."


def _is_log(line: Line, result: Curve, log: bool | None) -> bool:
    return _span([one for one in result.lines if one.quantity == line.quantity], log).log


def _key(line: Line) -> str:
    return line.group or f"{line.quantity}\n{line.name}"


def _colors(result: Curve, look: Look) -> dict[str, str]:
    """A color for each group; of lines without one for each name, the same in all plots."""
    slots: dict[str, int] = {}
    for group in dict.fromkeys(line.group for line in result.lines if line.group):
        slots[group] = len(slots)
    base, names = len(slots), dict[str, int]()
    for quantity in result.quantities:
        plain = [line.name for line in result.lines if line.quantity == quantity and not line.group]
        used = {names[name] for name in plain if name in names}
        for name in dict.fromkeys(plain):
            if name not in names:
                names[name] = next(k for k in range(base, base + len(result.lines) + 1) if k not in used)
                used.add(names[name])
    slots |= {_key(line): names[line.name] for line in result.lines if not line.group}
    palette = line_colors(max(slots.values(), default=0) + 1, look.theme)
    return {key: palette[slot] for key, slot in slots.items()}


def _span(lines: Sequence[Line], log: bool | None) -> Span:
    """An axis for all values, and for the errors where that costs little room."""
    values = np.concatenate([np.asarray(line.values, np.float64) for line in lines])
    known = values[np.isfinite(values)]
    found = Span.of(values, log, zero=True)
    errors = [line for line in lines if line.errors is not None]
    if found.log or not errors or not known.size:
        return found
    reach = float(known.max() - known.min()) or float(np.abs(known).max()) or 1.0
    ends = np.concatenate([line.values + sign * np.asarray(line.errors) for line in errors for sign in (-1.0, 1.0)])
    ends = ends[np.isfinite(ends)].clip(known.min() - 0.5 * reach, known.max() + 0.5 * reach)
    if known.min() >= 0:
        ends = ends.clip(0, None)
    ends = ends.clip(*_bounds(lines))
    return Span.of(np.concatenate([known, ends]), False, zero=True)


def _bounds(lines: Sequence[Line]) -> tuple[float, float]:
    """Between what errors may reach: shares and probabilities are 0 to 1."""
    values = np.concatenate([np.asarray(line.values, np.float64) for line in lines])
    shares = all(re.search(r"\b(accuracy|share|probability)\b", line.quantity) for line in lines)
    known = values[np.isfinite(values)]
    return (0.0, 1.0) if shares and known.size and 0 <= known.min() <= known.max() <= 1 else (-np.inf, np.inf)


def _line(sheet: Sheet, plot: Plot, line: Line, color: str, among: int) -> None:
    """One line with its errors."""
    errors, few = line.errors, np.isfinite(line.values).sum() <= _DOTS
    if line.style == "points":
        if errors is not None:
            plot.whiskers(sheet, line.points, line.values, errors, color, _bounds([line]))
        for run in plot.stretches(line.points, line.values):
            for x, y in run.tolist():
                dot(sheet, x, y, 2.6, color)
        return
    if errors is not None and np.isfinite(errors).any():
        plot.band(sheet, line.points, line.values, errors, color, _bounds([line]))
    if line.style == "faint":
        plot.path(sheet, line.points, line.values, color, 0.9, opacity=0.35)
        return
    dashes = (5.0, 3.0) if line.style == "dashed" else ()
    dots = 2.1 if few and not dashes and among <= 12 else 0.0
    plot.path(sheet, line.points, line.values, color, 1.7, dashes=dashes, dots=dots)


def _mark(sheet: Sheet, plot: Plot, one: Mark, look: Look) -> None:
    """A place on the axis, as an upright line."""
    x = float(plot.places([one.at], [plot.y.high])[0, 0])
    if np.isfinite(x) and plot.rect[0] - 0.5 <= x <= plot.rect[2] + 0.5:
        where = ((x, plot.rect[1]), (x, plot.rect[3]))
        sheet.marks.append(Shape(where, None, look.theme.quiet, 0.9, closed=False, dashes=(2.0, 2.0)))


def _texts(sheet: Sheet, y: float, marks: Sequence[Mark], ends: tuple[float, float], across: Span, look: Look) -> float:
    """What the marks are, like flags above the first plot: in rows, so that no text lies on another or on a pole."""
    placed: list[tuple[float, float, float, int, str]] = []  # pole, left, right, row, text
    flipped = []
    for one in sorted(marks, key=lambda mark: -mark.at):
        share = float(across.at(one.at))
        if not (np.isfinite(share) and -0.001 <= share <= 1.001):
            continue
        x, text = ends[0] + share * (ends[1] - ends[0]), shortened(one.text, SMALL, ends[1] - ends[0])
        long = width(text, SMALL) + 3
        if x + long > ends[1] + 4 and x - long >= ends[0]:
            flipped.append((x, x - long, x, text))
            continue
        taken = {row for _, a, b, row, _ in placed if x - 4 < b and x + long + 4 > a}
        row = next(k for k in range(len(marks)) if k not in taken)
        placed.append((x, x, x + long, row, text))
    for x, left, right, text in flipped:  # these lie over the poles of others, and so above their texts
        row = max((row + 1 for _, a, b, row, _ in placed if left - 4 < b and right + 4 > a), default=0)
        placed.append((x, left, right, row, text))
    high, rows = SMALL * LEADING + 1, max((one[3] + 1 for one in placed), default=0)
    for x, left, right, row, text in placed:
        top = y + (rows - 1 - row) * high
        sheet.lines(left + 3 if left == x else right - 3, top, [text], SMALL, look.theme.quiet,
                    align="left" if left == x else "right")  # fmt: skip
        where = ((x, top + 2), (x, y + rows * high + 2))
        sheet.marks.append(Shape(where, None, look.theme.quiet, 0.9, closed=False, dashes=(2.0, 2.0)))
    return y + rows * high + 2


def _named(result: Curve, quantity: str) -> list[tuple[str, Line]]:
    """The lines of a plot that have a name of their own, with it: faint ones where no other line of that name is."""
    lines = [line for line in result.lines if line.quantity == quantity]
    groups = {line.name: {one.group for one in lines if one.name == line.name} for line in lines}
    before, after = _said_above(result, lines, quantity)
    found: dict[str, Line] = {}
    for line in sorted(lines, key=lambda one: one.style == "faint"):
        shared = len(groups[line.name]) > 1 and line.group
        name = line.name.removeprefix(before).removesuffix(after)
        text = f"{line.group}: {name}" if shared else name
        colored = any(_key(one) == _key(line) for one in found.values())
        if line.style != "faint" or (text not in found and not colored):
            found.setdefault(text, line)
    return [(text, found[text]) for text in found if text]


def _said_above(result: Curve, lines: Sequence[Line], quantity: str) -> tuple[str, str]:
    """How all names of a plot begin and end with what stands above it already: the network, and the quantity."""
    before, after = f"{result.meta.net}, ", f", {quantity.partition(',')[0]}"
    return (
        before if all(line.name.startswith(before) and len(line.name) > len(before + after) for line in lines) else "",
        after if all(line.name.endswith(after) for line in lines) else "",
    )


def _beside(result: Curve, quantity: str) -> list[tuple[str, Line]]:
    """The names that stand at the ends of lines; none where they are too many and stand below."""
    named = _named(result, quantity)
    high = _HIGH.get(len(result.quantities), _LEAST)
    return named if len(named) <= max(int(1.25 * high / _STEP), 3) else []


def _room(named: Sequence[tuple[str, Line]]) -> float:
    return max((min(width(text, SMALL) + 34, _NAMES) for text, _ in named), default=0.0)


def _labels(sheet: Sheet, plot: Plot, named: Sequence[tuple[str, Line]], colors: dict[str, str], look: Look) -> None:
    """Names beside the plot, each as near to the end of its line as the others allow."""
    _, top, right, bottom = plot.rect
    ends = []
    for text, line in named:
        runs = plot.stretches(line.points, line.values)
        y = float(plot.inside(runs[-1])[-1, 1]) if runs else bottom
        ends.append((y, text, line, float(runs[-1][-1, 0]) if runs else right))
    ends.sort(key=lambda one: one[0])
    free = _apart([y for y, *_ in ends], top + _STEP / 2, bottom - _STEP / 2, _STEP)
    for (y, text, line, x), at in zip(ends, free, strict=True):
        color = colors[_key(line)]
        if right - x < 4:
            elbow = ((right + 2, y), (right + 10, at), (right + 14, at))
            sheet.marks.append(Shape(elbow, None, color, 0.7, 0.7, closed=False))
        _sample(sheet, right + 14, at, line, color)
        name = shortened(text, SMALL, _NAMES - 34)
        sheet.lines(right + 34, at - 0.62 * SMALL, [name], SMALL, look.theme.ink)


def _apart(wanted: Sequence[float], low: float, high: float, step: float) -> list[float]:
    """Places in order, at least a step from one another, as near to those wanted as that allows."""
    found = [max(one, low) for one in wanted]
    for k in range(1, len(found)):
        found[k] = max(found[k], found[k - 1] + step)
    for k in range(len(found) - 1, -1, -1):
        most = high if k == len(found) - 1 else found[k + 1] - step
        found[k] = min(found[k], most)
    return found


def _sample(sheet: Sheet, x: float, y: float, line: Line, color: str) -> None:
    """A short piece of a line, 16 long, as a legend shows it."""
    if line.style == "points":
        dot(sheet, x + 8, y, 2.6, color)
        return
    thick, dashes = (0.9, ()) if line.style == "faint" else (2.0, (5.0, 3.0) if line.style == "dashed" else ())
    sheet.marks.append(Shape(((x, y), (x + 16, y)), None, color, thick, closed=False, dashes=dashes))


def _legend(sheet: Sheet, y: float, named: Sequence[tuple[str, Line]], colors: dict[str, str], look: Look) -> float:
    """Names in rows below a plot; returns where they end."""
    x, high = MARGIN + _LEFT, SMALL * LEADING + 2
    y += 4
    for text, line in named:
        name = shortened(text, SMALL, 260.0)
        long = 20 + width(name, SMALL) + 14
        if x + long > sheet.width - MARGIN and x > MARGIN + _LEFT:
            x, y = MARGIN + _LEFT, y + high
        _sample(sheet, x, y + 0.62 * SMALL, line, colors[_key(line)])
        sheet.marks.append(Words(x + 20, y + 0.93 * SMALL, name, SMALL, look.theme.ink))
        x += long
    return y + high + 2
