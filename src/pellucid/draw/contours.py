"""Contours: values on a grid as areas between labeled levels, and the fine grid that they are drawn from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from contourpy import FillType, LineType, contour_generator
from numpy.typing import NDArray

from pellucid.draw.axes import Plot
from pellucid.draw.colors import Floats, Theme
from pellucid.draw.letters import width
from pellucid.draw.ramp import Ramp, banded
from pellucid.draw.sheet import Mesh, Region, Shape, Sheet, Words

_LABEL = 8.5
_FINE = 72  # cells along a side of the fine grid


def finer(points: Floats, cells: int = _FINE) -> tuple[Floats, int]:
    """The points with as many more between neighbors as make about so many cells; and how many steps lie between."""
    parts = max(round(cells / max(len(points) - 1, 1)), 1)
    steps = np.arange(0, (len(points) - 1) * parts + 1) / parts
    return np.interp(steps, np.arange(len(points)), points), parts


def smooth(values: Floats, points: tuple[Floats, Floats], fine: tuple[Floats, Floats]) -> Floats:
    """Values (M, K) at the second and first coordinates read at finer ones: cubic between points, never beyond them."""
    down = _monotone(values, points[1], fine[1])
    return _monotone(down.T, points[0], fine[0]).T


def _monotone(values: Floats, points: Floats, fine: Floats) -> Floats:
    """Along the first axis; slopes are harmonic means (Fritsch & Butland 1984), those at the ends straight."""
    if len(points) == 1:
        return np.repeat(values, len(fine), axis=0)
    step = np.diff(points)[:, None]
    rise = np.diff(values, axis=0) / step
    slope = np.concatenate([rise[:1], np.zeros_like(rise[1:]), rise[-1:]])
    before, after = rise[:-1], rise[1:]
    same = before * after > 0
    slope[1:-1] = np.divide(2 * before * after, before + after, out=np.zeros_like(before), where=same)
    slope = np.nan_to_num(slope)
    i = (np.searchsorted(points, fine, side="right") - 1).clip(0, len(points) - 2)
    t = ((fine - points[i]) / step[i, 0])[:, None]
    straight = values[i] + (values[i + 1] - values[i]) * t**2 * (3 - 2 * t)
    return np.asarray(straight + step[i] * t * (1 - t) * (slope[i] * (1 - t) - slope[i + 1] * t))


def between(values: Floats, points: tuple[Floats, Floats], xs: Floats, ys: Floats) -> Floats:
    """Values (M, K) on a grid read at single places, linear between its points; zero where they are not known."""
    (j, u), (i, t) = (_cell(line, at) for line, at in zip(points, (xs, ys), strict=True))
    upper = (1 - u) * values[i, j] + u * values[i, j + 1]
    lower = (1 - u) * values[i + 1, j] + u * values[i + 1, j + 1]
    return np.nan_to_num((1 - t) * upper + t * lower)


def _cell(line: Floats, at: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Between which points places lie, and how far from the first to the second."""
    k = (np.searchsorted(line, at, side="right") - 1).clip(0, len(line) - 2)
    return k, ((at - line[k]) / (line[k + 1] - line[k])).clip(0, 1)


def contoured(sheet: Sheet, plot: Plot, fine: tuple[Floats, Floats], shares: Floats, ramp: Ramp, theme: Theme) -> None:
    """Areas between levels over the whole frame, the levels as lines with their values in them.

    `shares` (M, K) are the values as shares of the ramp; NaN where nothing is known.
    """
    found = ramp.span.levels()
    bounds = np.array([float(ramp.span.at(value)) for value, _ in found])
    colors = [_hex(ramp.table[round(one * (len(ramp.table) - 1))]) for one in banded(bounds).tolist()]
    at = plot.places(fine[0], fine[0] * 0 + plot.y.low)[:, 0], plot.places(fine[1] * 0 + plot.x.low, fine[1])[:, 1]
    made = contour_generator(*at, np.ma.masked_invalid(shares), fill_type=FillType.OuterOffset,
                             line_type=LineType.Separate)  # fmt: skip
    sheet.box(plot.rect, fill=theme.faint)
    for bound, color in zip([-np.inf, *bounds.tolist()], colors, strict=True):
        rings = _rings(made.filled(bound, np.inf))
        if rings:
            sheet.marks.append(Region(tuple(rings), color))
    lines = [[np.asarray(one) for one in made.lines(bound)] for bound in bounds.tolist()]
    for bound, level in zip(bounds.tolist(), lines, strict=True):
        color = "#ffffff" if bound < 0.5 else "#1d2430"
        for line in level:
            where = tuple(map(tuple, line.tolist()))
            sheet.marks.append(Shape(where, None, color, 0.6, 0.5, closed=False))
    _labels(sheet, plot, [(text, bound, level) for (_, text), bound, level in zip(found, bounds.tolist(), lines,
                                                                                 strict=True)], ramp)  # fmt: skip
    sheet.box(plot.rect, edge=theme.quiet, line=0.7)


def level_line(sheet: Sheet, plot: Plot, fine: tuple[Floats, Floats], shares: Floats, bound: float) -> bool:
    """One more level, dotted; whether it lies in the frame."""
    at = plot.places(fine[0], fine[0] * 0 + plot.y.low)[:, 0], plot.places(fine[1] * 0 + plot.x.low, fine[1])[:, 1]
    lines = contour_generator(*at, np.ma.masked_invalid(shares), line_type=LineType.Separate).lines(bound)
    for line in lines:
        where = tuple(map(tuple, np.asarray(line).tolist()))
        sheet.marks.append(Shape(where, None, "#ffffff", 1.2, 0.9, closed=False, dashes=(1.5, 2.0)))
    return bool(lines)


def _rings(filled: Any) -> list[Floats]:
    """Outer rings and holes of areas."""
    found = [points[a:b] for points, offsets in zip(*filled, strict=True) for a, b in pairwise(offsets)]
    return [ring for ring in found if len(ring) > 3]


def _labels(sheet: Sheet, plot: Plot, levels: list[tuple[str, float, list[Floats]]], ramp: Ramp) -> None:
    """The value of each level in its longest line, where that runs level and no other value is near."""
    left, top, right, bottom = plot.rect
    taken: list[tuple[float, float, float, float]] = []
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    for text, bound, level in levels:
        long, high = width(text, _LABEL) + 5, _LABEL + 3
        for line in sorted(level, key=len, reverse=True)[:2]:
            if len(line) < 6 or np.ptp(line, axis=0).max() < 1.4 * long:
                continue
            way = np.gradient(line, axis=0)
            flat = np.abs(way[:, 0]) / np.maximum(np.hypot(*way.T), 1e-9)
            away = np.hypot(*(line - middle).T) / (right - left)
            near = np.array([min((np.hypot(x - (a + c) / 2, y - (b + d) / 2) for a, b, c, d in taken), default=200.0)
                             for x, y in line]).clip(0, 90)  # fmt: skip
            score = flat + 0.012 * near - 0.5 * np.maximum(0.12 - away, 0) / 0.12
            for k in np.argsort(-score)[:40].tolist():
                x, y = float(line[k, 0]), float(line[k, 1])
                box = (x - long / 2, y - high / 2, x + long / 2, y + high / 2)
                inside = left + 3 < box[0] and box[2] < right - 3 and top + 3 < box[1] and box[3] < bottom - 3
                clear = all(box[0] > c + 3 or box[2] < a - 3 or box[1] > d + 2 or box[3] < b - 2
                            for a, b, c, d in taken)  # fmt: skip
                if inside and clear and abs(x - middle[0]) + abs(y - middle[1]) > 12:
                    taken.append(box)
                    color = ramp.table[round(bound * (len(ramp.table) - 1))]
                    sheet.box(box, fill=_hex(color))
                    ink = "#1d2430" if float(color @ np.array([0.21, 0.72, 0.07])) > 0.5 else "#ffffff"
                    sheet.marks.append(Words(x, y + 0.36 * _LABEL, text, _LABEL, ink, align="center"))
                    break
            else:
                continue
            break


def specks(sheet: Sheet, places: NDArray[Any], size: float, color: tuple[float, float, float, float]) -> None:
    """Many tiny diamonds."""
    if len(places):
        corners = size * np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])
        fills = np.tile(color, (len(places), 1))
        sheet.marks.append(Mesh(places[:, None] + corners, fills, fills * 0, np.zeros(len(places))))


def _hex(color: Floats) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in color)
