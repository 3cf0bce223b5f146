"""Pairs of images: exchanged regions with their numbers in both, the pixels pasted, the answer after each exchange."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pellucid.draw import words
from pellucid.draw.axes import Plot, Span, line_colors
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import percent, shortened, width, wrapped
from pellucid.draw.look import Look
from pellucid.draw.patches import outline
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Rect, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Pair

_SIDE, _HIGH = 300.0, 110.0
_MOST = 8  # pairs that are drawn
_TAG = 8.5


@drawing(Pair)
def draw_pair(result: Pair, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The image and the other with the exchanged regions outlined, in both under the same number; the regions pasted as
    pixels; and the probabilities after each exchange.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a pair holds its own images: draw it without over=")
    if not len(result):
        raise PellucidError("no image was asked about: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(2 * MARGIN + 3 * _SIDE + 2 * GAP, look.theme.paper)
    layer = f"layer {result.meta.layer}" if result.meta.layer else ""
    y = heading(sheet, title, " · ".join(filter(None, [layer, unplaced(result.meta.net)])), look)
    y = findings(sheet, y, result.findings[:_MOST], look, names=(*result.answers, *result.names)) + 8
    for i in range(min(len(result), _MOST)):
        y = _pair(sheet, y, result, i, look) + GAP
    notes = [
        "Regions: what is nearest to each cell of the layer; a cell has seen more than its region. Features are "
        "exchanged at the layer; on the right the same regions are pasted as pixels, only to show what they are."
    ]
    if len(result) > _MOST:
        notes.append(f"Shown are {_MOST} of {len(result)} images; result[i] is one.")
    notes += [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(_spoken(result, i) for i in range(min(len(result), 3)))}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _pair(sheet: Sheet, y: float, result: Pair, i: int, look: Look) -> float:
    values, pasted = result.values[i], result.pasted_values[i]
    both = (result.answers[i], result.wanted[i])
    told = [
        (f"{both[0]} {percent(float(values[0, 0]))}", unplaced(result.names[i]), result.queries[i], result.boxes[i]),
        (f"{both[1]}: the other image", unplaced(result.distractor_names[i]), result.distractors[i],
         result.distractor_boxes[i]),
        (f"pasted as pixels: {result.pasted_answers[i]}",
         f"{both[0]} {percent(float(pasted[0]))}, {both[1]} {percent(float(pasted[1]))}", result.pasted[i], None),
    ]  # fmt: skip
    end = y
    for k, (name, below, pixels, boxes) in enumerate(told):
        left = MARGIN + k * (_SIDE + GAP)
        rect = sheet.photo(left, y, fitted_pixels(pixels, sheet.pixels(_SIDE)))
        if boxes is not None:
            _numbered(sheet, rect, pixels, boxes)
        low = sheet.lines(left, rect[3] + 4, [shortened(name, BODY, _SIDE, True)], BODY, look.theme.ink, bold=True)
        end = max(end, sheet.lines(left, low, wrapped(below, SMALL, _SIDE, lines=1), SMALL, look.theme.quiet))
    return _course(sheet, end + 10, result, i, look) if len(values) > 1 else end


def _numbered(sheet: Sheet, rect: Rect, pixels: UInt8[np.ndarray, "h w 3"], boxes: Float[np.ndarray, "k 4"]) -> None:
    """Boxes with their numbers, from 1; of equal boxes all numbers in one."""
    numbers: dict[tuple[float, ...], list[int]] = {}
    for k, box in enumerate(boxes.tolist()):
        numbers.setdefault(tuple(box), []).append(k + 1)
    down, across = (rect[3] - rect[1]) / pixels.shape[0], (rect[2] - rect[0]) / pixels.shape[1]
    for box in numbers:
        outline(sheet, rect, (box[0], box[1], box[2], box[3]), (pixels.shape[0], pixels.shape[1]))
    for box, named in numbers.items():
        left, top, room = rect[0] + box[1] * across, rect[1] + box[0] * down, (box[3] - box[1]) * across
        lines = wrapped(", ".join(map(str, named)), _TAG, max(room - 6, 10.0), bold=True, lines=3)
        wide = max(width(one, _TAG, True) for one in lines)
        sheet.box((left + 1, top + 1, left + wide + 6, top + 3 + len(lines) * _TAG * 1.3), fill="#000000", opacity=0.72)
        sheet.lines(left + 3.5, top + 1.5, lines, _TAG, "#ffffff", bold=True)


def _course(sheet: Sheet, y: float, result: Pair, i: int, look: Look) -> float:
    """The probabilities of both classes over the number of exchanges; returns where the plot ends."""
    theme, values = look.theme, result.values[i]
    points = np.arange(len(values))
    left = MARGIN + 44
    plot = Plot(
        (left, y + 16, sheet.width - MARGIN - 190, y + 16 + _HIGH), Span(0, max(len(values) - 1, 1)), Span(0, 1)
    )
    sheet.lines(left, y, ["probability after each exchange"], SMALL, theme.quiet)
    plot.framed(sheet, theme, most=4)
    ends = []
    for k, (name, color) in enumerate(zip((result.answers[i], result.wanted[i]), line_colors(2, theme), strict=True)):
        plot.path(sheet, points, values[:, k], color, dots=2.6)
        ends.append((float(plot.places(points[-1:], values[-1:, k])[0, 1]), name, color))
    ends.sort()
    if ends[1][0] - ends[0][0] < 13:
        ends[1] = (ends[0][0] + 13, *ends[1][1:])
    lower = max(ends[1][0] - plot.rect[3], 0.0)  # off the numbers at the axis
    ends = [(at - lower, name, color) for at, name, color in ends]
    for at, name, color in ends:
        said = shortened(name, SMALL, 176.0, True)
        sheet.lines(sheet.width - MARGIN - 182, at - 6, [said], SMALL, color, bold=True)
    return plot.rect[3] + 20


def _spoken(result: Pair, i: int) -> str:
    """A pair, for those who do not see it."""
    count, a, b = len(result.boxes[i]), result.answers[i], result.wanted[i]
    random = float(np.median(result.random[i]))
    chance = "all at random do not do it" if random > result.cells[i] else f"at random it takes {random:g}"
    done = f"{count} of {result.cells[i]} regions of {unplaced(result.distractor_names[i])} turn"
    done = done if result.reached[i] else f"{count} regions do not turn"
    return f"{done} {a} into {b}, {chance}; pasted as pixels the answer is {result.pasted_answers[i]}"
