"""Surfaces: contours with labeled levels and a lit relief, for every network on one scale, with what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from pellucid.described import Default
from pellucid.draw import words
from pellucid.draw.axes import Plot, Span, dot, wants_log
from pellucid.draw.colors import Floats
from pellucid.draw.contours import between, contoured, finer, level_line, smooth, specks
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, shortened, width
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture, one_of
from pellucid.draw.ramp import ROOM, Ramp, ramp_bar, surface_colors
from pellucid.draw.relief import View, relief
from pellucid.draw.sheet import Rect, Shape, Sheet, Words
from pellucid.draw.surface_page import near_center, surface_page
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Axis, Placed, Surface
from pellucid.result.surface import ACCURACY, LOSS

_SIDES = {1: 400.0, 2: 370.0, 3: 290.0}
_LEFT, _BELOW = 54.0, 40.0  # of a contour picture, for its numbers
_OFF = 0.5  # share of the distance that lies off the plane, beyond which a dot is hollow
_FAR = 10.0  # the colors end at the 98th percentile where the largest value is so many times that
_NAMED = 10  # placed networks up to which each has its name

_WIDE = (LOSS, "λmax")
"""Ends of the names of measures that may span many powers of ten."""

Form = Literal["both", "contour", "surface"]


@drawing(Surface)
def draw_surface(
    result: Surface, over: Any = None, *, title: str | None = None, dark: bool = False,
    measure: Annotated[
        str | None, Field(description="measure that is drawn, such as loss or accuracy"), Default("loss")
    ] = None,
    form: Annotated[Form, Field(description="kind of picture: contours, a surface in space, or both")] = "both",
    log: Annotated[
        bool | None,
        Field(description="logarithmic colors and heights"),
        Default("where losses span a factor of 100"),
    ] = None,
) -> Picture:  # fmt: skip
    """Contours and a relief of every network, all on one scale; how batch norm was treated, and what was checked.

    Networks that were placed are dots, joined to a path where they are the steps of one training, and hollow where
    most of their distance from the center is off the plane. As a page (.html) the surface can be turned.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a surface is not drawn over images: draw it without over=")
    one_of("form", form, ("both", "contour", "surface"))
    if not len(result) or min(result.values.shape[2:]) < 2:
        raise PellucidError("the surface has no two points along each axis: there is nothing to draw")
    measure = measure or (LOSS if LOSS in result.measures else result.measures[0])
    values = result.of(measure)
    ramp = ramp_of(values, measure, log, look)
    title = title or words.title_of(result.meta)
    abreast = 2 if len(result) == 4 else min(len(result), 3)
    columns = 2 if len(result) == 1 and form == "both" else abreast
    side = _SIDES[columns]
    cell = _LEFT + side + GAP
    sheet = Sheet.sized(columns * cell + ROOM + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, _below(result, measure), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 4
    for start in range(0, len(result), abreast):
        row = range(start, min(start + abreast, len(result)))
        y = _row(sheet, y, row, result, measure, ramp, side, form, look)
    ramps = {name: ramp if name == measure else ramp_of(result.of(name), name, None, look) for name in result.measures}
    shared = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    notes = {name: [*_notes(result, name, one, form), *shared] for name, one in ramps.items()}
    sheet.height = footnotes(sheet, y + 4, notes[measure], look) + MARGIN
    alt = _alt(result, values, title, measure)
    units = {name: _unit(name) for name in result.measures}
    about = {"TITLE": title, "ABOUT": _below(result, ""), "ALT": alt}
    page = partial(surface_page, result, ramps, units, _groups(result.placed), about, notes, measure, dark=dark)
    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)


def ramp_of(values: Floats, measure: str, log: bool | None, look: Look) -> Ramp:
    """One scale for all networks: logarithmic as soon as losses span a factor of 100, cut where few lie far above."""
    known = values[np.isfinite(values)]
    log = (wants_log(known) and measure.endswith(_WIDE)) if log is None else log
    span = Span.of(known, log, air=0.0)
    if known.size and span.low == span.high:
        span = Span.of(known, log)
    end = float(np.percentile(known, 98)) if known.size else span.high
    above = bool(span.log and end > span.low and span.high > _FAR * end)
    if above:
        span = Span(span.low, end, True)
    return Ramp(span, surface_colors(look.theme.dark), above or bool(np.isposinf(values).any()))


def _row(
    sheet: Sheet, y: float, row: range, result: Surface, measure: str, ramp: Ramp, side: float, form: Form, look: Look
) -> float:
    """Networks side by side: name, checks, contours, relief; returns where they end."""
    cell = _LEFT + side + GAP
    lefts = [MARGIN + k * cell for k in range(len(row))]
    ends = [_captioned(sheet, left, y, result, i, cell - GAP, look) for left, i in zip(lefts, row, strict=True)]
    y, values = max(ends) + 6, result.of(measure)
    if row[0] == 0:
        levels = np.array([value for value, _ in ramp.span.levels()]) if form != "surface" else None
        right = sheet.width - MARGIN - ROOM
        ramp_bar(sheet, right, y - 6, min(side, 330.0) + 6, ramp, _unit(measure), look.theme, levels)
    points = (result.axes[0].points, result.axes[1].points)
    (wide, across), (high, down) = finer(points[0]), finer(points[1])
    axes = (Span(float(wide[0]), float(wide[-1])), Span(float(high[0]), float(high[-1])))
    beside = len(result) == 1 and form == "both"
    bottom = y + (min(side, 330.0) + 4 if row[0] == 0 else 0.0)  # the bar is beside the first row
    for left, i in zip(lefts, row, strict=True):
        shares = ramp.share(values[i])
        shares = smooth(np.where(np.isnan(values[i]), np.nan, shares), points, (wide, high))
        shares = shares.clip(0, 1)
        end = y
        if form != "surface":
            plot = Plot((left + _LEFT, y, left + _LEFT + side, y + side), *axes)
            contoured(sheet, plot, (wide, high), shares, ramp, look.theme)
            if (near := near_center(result, measure, i)) is not None:
                level_line(sheet, plot, (wide, high), shares, float(ramp.share(np.array(near))))
            _measured(sheet, plot, result, i, look)
            _placed_on(sheet, plot, result, look)
            end = _named(sheet, plot, result.axes, look)
        if form != "contour":
            x, start = (left + cell, y) if beside else (left, end + (6 if form == "both" else 0))
            names = result.axes[0].name, result.axes[1].name
            seen, under = relief(sheet, (x, start), _LEFT + side, axes, (wide, high), (across, down), shares, ramp,
                                 names, look.theme)  # fmt: skip
            _path_over(sheet, seen, axes, result, (wide, high), shares)
            end = max(end, under)
        bottom = max(bottom, end)
    return bottom + GAP


def _captioned(sheet: Sheet, left: float, y: float, result: Surface, i: int, room: float, look: Look) -> float:
    """The name of a network, its value at the center, and what its checks say; returns where they end."""
    y = sheet.lines(left, y, [shortened(unplaced(result.names[i]), BODY, room, True)], BODY, look.theme.ink, bold=True)
    checks = result.checks[i] if i < len(result.checks) else ()
    failed = [check for check in checks if not check.passed]
    passed = [check.name for check in checks if check.passed]
    for check in failed:
        y = sheet.paragraph(left, y + 1, f"Check failed: {check}", SMALL, look.theme.warning, room, most=3)
    if passed:
        text = f"checks: {', '.join(passed)} agree{'s' if len(passed) == 1 else ''}"
        y = sheet.paragraph(left, y + 1, text, SMALL, look.theme.quiet, room, most=2)
    return y


def _named(sheet: Sheet, plot: Plot, axes: tuple[Axis, Axis], look: Look) -> float:
    """Numbers and names of both axes, around the contours; returns where they end."""
    left, top, right, bottom = plot.rect
    plot.framed(sheet, look.theme, grid=False, most=6)
    names = [f"{axis.name}, {axis.unit}" if axis.unit else axis.name for axis in axes]
    names = [shortened(name, BODY - 1, right - left) for name in names]
    middle, center = (left + right) / 2, (top + bottom) / 2
    end = sheet.lines(middle, bottom + 18, [names[0]], BODY - 1, look.theme.quiet, align="center")
    at = left - _LEFT + BODY
    sheet.marks.append(Words(at, center, names[1], BODY - 1, look.theme.quiet, align="center", upright=True))
    return end + 4


def _measured(sheet: Sheet, plot: Plot, result: Surface, i: int, look: Look) -> None:
    """The measured grid as small ticks inside the frame, what was filled in between as specks, and the center."""
    left, _, _, bottom = plot.rect
    xs, ys = result.axes[0].points, result.axes[1].points
    for x, _ in plot.places(xs, np.full(len(xs), plot.y.low)).tolist():
        sheet.line((x, bottom), (x, bottom - 2.5), look.theme.ink, 0.4)
    for _, y in plot.places(np.full(len(ys), plot.x.low), ys).tolist():
        sheet.line((left, y), (left + 2.5, y), look.theme.ink, 0.4)
    rows, columns = np.nonzero(~result.known[i])
    specks(sheet, plot.places(xs[columns], ys[rows]), 0.9, (1.0, 1.0, 1.0, 0.55))
    if plot.x.low <= 0 <= plot.x.high and plot.y.low <= 0 <= plot.y.high:
        ((x, y),) = plot.places([0.0], [0.0]).tolist()
        for color, thick in (("#1d2430", 3.6), ("#ffffff", 1.7)):
            sheet.line((x - 6, y), (x + 6, y), color, thick)
            sheet.line((x, y - 6), (x, y + 6), color, thick)


def _groups(placed: Sequence[Placed]) -> list[tuple[str, list[Placed]]]:
    """Paths, and networks that belong to none."""
    found: dict[str, list[Placed]] = {}
    for k, one in enumerate(placed):
        found.setdefault(one.group or f"\n{k}", []).append(one)
    return [("" if name.startswith("\n") else name, some) for name, some in found.items()]


def _placed_on(sheet: Sheet, plot: Plot, result: Surface, look: Look) -> None:
    """Placed networks as dots, those of one group joined in their order."""
    groups, taken = _groups(result.placed), list[tuple[float, float, float, float]]()
    for name, some in groups:
        places = plot.places([one.x for one in some], [one.y for one in some])
        inside = [bool(plot.rect[0] <= x <= plot.rect[2] and plot.rect[1] <= y <= plot.rect[3]) for x, y in places]
        where = tuple((float(x), float(y)) for x, y in places[inside])
        if name and len(where) > 1:
            sheet.marks.append(Shape(where, None, "#1d2430", 3.2, 0.55, closed=False))
            sheet.marks.append(Shape(where, None, "#ffffff", 1.5, closed=False))
        shown = [one for one, kept in zip(some, inside, strict=True) if kept]
        for (x, y), one in zip(where, shown, strict=True):
            _spot(sheet, x, y, 3.4, one)
        taken += [(x - 4, y - 4, x + 4, y + 4) for x, y in where]
        few = not name or len(result.placed) <= _NAMED
        texts = [one.name if few or one in (shown[0], shown[-1]) else "" for one in shown]
        texts = [": ".join(filter(None, [text, one.mark])) for text, one in zip(texts, shown, strict=True)]
        for i in sorted(range(len(shown)), key=lambda i: 0 < i < len(shown) - 1):  # both ends before those between
            _tagged(sheet, plot.rect, where[i], unplaced(texts[i]), taken)


def _spot(sheet: Sheet, x: float, y: float, radius: float, one: Placed) -> None:
    """A placed network: a dot, or a ring where it is far off the plane."""
    if one.share > _OFF:
        dot(sheet, x, y, radius, None, "#1d2430", line=radius)
        dot(sheet, x, y, radius, None, "#ffffff", line=0.42 * radius)
    else:
        dot(sheet, x, y, radius, "#ffffff", "#1d2430", line=0.35 * radius)


def _tagged(
    sheet: Sheet, rect: Rect, at: tuple[float, float], text: str, taken: list[tuple[float, float, float, float]]
) -> None:
    """A name beside a dot on a small plate, where it covers no other name and no level."""
    text = shortened(text, SMALL - 1, 120.0)
    words_there = [mark.box for mark in sheet.marks[-400:] if isinstance(mark, Words)]
    long, high = width(text, SMALL - 1) + 6, SMALL + 3
    for right, down in ((7, -high / 2), (-7 - long, -high / 2), (-long / 2, 6), (-long / 2, -6 - high)):
        box = (at[0] + right, at[1] + down, at[0] + right + long, at[1] + down + high)
        free = all(box[0] > c or box[2] < a or box[1] > d or box[3] < b for a, b, c, d in [*taken, *words_there])
        if text and free and rect[0] < box[0] and box[2] < rect[2] and rect[1] < box[1] and box[3] < rect[3]:
            taken.append(box)
            sheet.box(box, fill="#1d2430", opacity=0.75)
            sheet.marks.append(Words(box[0] + 3, box[3] - 3.6, text, SMALL - 1, "#ffffff"))
            return


def _path_over(
    sheet: Sheet, seen: View, axes: tuple[Span, Span], result: Surface, fine: tuple[Floats, Floats], shares: Floats,
) -> None:  # fmt: skip
    """The center and the placed networks on the relief."""

    def at(xs: list[float], ys: list[float]) -> list[tuple[float, float]]:
        x, y = np.array(xs), np.array(ys)
        found = seen.at(axes[0].at(x) - 0.5, axes[1].at(y) - 0.5, between(shares, fine, x, y) + 0.012)
        return [(float(x), float(y)) for x, y in found]

    (left, right), (low, high) = ((axis.low, axis.high) for axis in axes)
    for name, some in _groups(result.placed):
        kept = [one for one in some if left <= one.x <= right and low <= one.y <= high]
        xs, ys = [one.x for one in kept], [one.y for one in kept]
        if name and len(kept) > 1:
            steps, known = np.linspace(0, len(kept) - 1, 16 * (len(kept) - 1) + 1), np.arange(len(kept))
            path = tuple(at(np.interp(steps, known, xs).tolist(), np.interp(steps, known, ys).tolist()))
            sheet.marks.append(Shape(path, None, "#1d2430", 3.0, 0.6, closed=False))
            sheet.marks.append(Shape(path, None, "#ffffff", 1.4, closed=False))
        for (x, y), one in zip(at(xs, ys) if kept else [], kept, strict=True):
            _spot(sheet, x, y, 2.6, one)


def _below(result: Surface, measure: str) -> str:
    """What is drawn, and how batch norm was treated: always said."""
    return " · ".join(filter(None, [_unit(measure), words.policy(result.meta)]))


def _unit(measure: str) -> str:
    return f"{measure}, nats" if measure.endswith(LOSS) else measure


def _notes(result: Surface, measure: str, ramp: Ramp, form: Form) -> list[str]:
    """How colors, heights and dots are to be read, and what they do not show."""
    span, told, values = ramp.span, [], result.of(measure)
    known = values[np.isfinite(values)]
    scale = "logarithmic" if span.log else "linear"
    common = ", one scale for all" if len(result) > 1 else ""
    told.append(f"Colors and heights: {scale} from {number(span.low)} to {number(span.high)}{common}.")
    beyond, wild = int((known > span.high * (1 + 1e-9)).sum()), int((~np.isfinite(values)).sum())
    if beyond:
        told.append(f"They end at the 98th percentile: {beyond} of {values.size} points lie above, up to "
                    f"{number(float(known.max()))}.")  # fmt: skip
    if wild:
        told.append(f"{wild} {'value is' if wild == 1 else 'values are'} not finite.")
    if span.log and (known <= 0).any():
        told.append(f"{int((known <= 0).sum())} values are not above zero: in the lowest color.")
    if form != "surface":
        dotted = "; dotted: one standard error worse" if measure.endswith((LOSS, ACCURACY)) else ""
        told.append(f"Cross: the center{dotted}.")
    grid = {"contour": "Ticks in the frame", "surface": "Lines on the surface"}
    told.append(f"{grid.get(form, 'Ticks in the frame, lines on the surface')}: the measured grid.")
    if not result.known.all():
        told.append(f"Specks: filled in between, not measured ({int((~result.known).sum())} of {result.known.size}).")
    if any(one.share > _OFF for one in result.placed):
        told.append("Hollow dots: more than half of the distance from the center is off the plane.")
    elif result.placed:
        told.append("Dots: networks placed on the plane.")
    return [" ".join(told)]


def _alt(result: Surface, values: Floats, title: str, measure: str) -> str:
    """The surfaces in words."""
    failed = [f"{name}: check failed, {check}" for name, checks in zip(result.names, result.checks, strict=False)
              for check in checks if not check.passed]  # fmt: skip
    parts = []
    for name, one in zip(result.names, values, strict=True):
        known = one[np.isfinite(one)]
        ends = f"{number(float(known.min()))} to {number(float(known.max()))}" if known.size else "not finite"
        parts.append(f"{unplaced(name)} from {ends}")
    told = ". ".join(one.rstrip(".") for one in (*failed, *result.findings))
    return f"{title}: {measure} of {'; '.join(parts)}.{f' {told}.' if told else ''}"
