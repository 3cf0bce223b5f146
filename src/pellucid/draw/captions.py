"""Captions: the photo with its sentence, and for each of its parts the photo under the maps of that part."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, TITLE, findings, footnotes, heading
from pellucid.draw.letters import percent, shortened, wrapped
from pellucid.draw.lit import plus
from pellucid.draw.look import Look, panel
from pellucid.draw.overlay import photograph
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Captions

_PHOTO, _MOST = 190.0, 6
_SIDES = {1: 190.0, 2: 170.0, 3: 150.0, 4: 128.0, 5: 112.0}
"""Of a map, for so many parts; of more a smaller one."""
_SMALLEST, _BETWEEN = 88.0, 8.0
_NAMES = 78.0
"""Room for the names of the maps."""


@drawing(Captions)
def draw_captions(result: Captions, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Each image with its sentence; its parts from left to right, the maps of each below it."""
    look = Look(dark=dark, scale="own")
    if over is not None:
        raise PellucidError("captions hold their own images: draw them without over=")
    if not len(result) or not result.maps:
        raise PellucidError("no captions: there is nothing to draw")
    title = title or words.title_of(result.meta)
    count = min(len(result), _MOST)
    widest = max(max(result.count(i) for i in range(count)), 1)
    side = _SIDES.get(widest, _SMALLEST)
    room = 2 * MARGIN + _PHOTO + GAP + _NAMES + widest * (side + _BETWEEN)
    sheet = Sheet.sized(max(room, 620.0), look.theme.paper)
    below = words.below(result.meta, f"layer {result.meta.layer}" if result.meta.layer else "")
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 10
    for i in range(count):
        y = _image(sheet, y, result, i, side, look) + GAP
    notes = [_reading(result)]
    if len(result) > count:
        notes.append(f"Shown are {count} of {len(result)} images; result[i] is one.")
    notes += [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(_spoken(result, i) for i in range(min(len(result), 3)))}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _image(sheet: Sheet, y: float, result: Captions, i: int, side: float, look: Look) -> float:
    """The photo, its sentence over the rest of the width, and a column for each part; returns where they end."""
    theme, left = look.theme, MARGIN + _PHOTO + GAP
    rect = sheet.photo(MARGIN, y, fitted_pixels(result.photos[i], sheet.pixels(_PHOTO)))
    name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else ""
    end = sheet.lines(MARGIN, rect[3] + 4, [shortened(name, SMALL, _PHOTO)] if name else [], SMALL, theme.quiet)
    at = y
    if result.sentences[i]:
        at = sheet.paragraph(left, y - 2, f"“{result.sentences[i]}”", TITLE, theme.ink, sheet.width - left - MARGIN,
                             bold=True, most=3) + 6  # fmt: skip
    if not math.isnan(result.rest[i]):
        rest = f"the sentence leaves out {plus(float(result.rest[i]))} {result.unit} of the score"
        at = sheet.lines(left, at - 4, [rest], BODY, theme.quiet) + 6
    start = left + _NAMES
    asked = [wrapped(one, SMALL, side, lines=3) for one in result.questions]
    lines = max(map(len, asked), default=0)
    said = [wrapped(part, BODY, side, bold=True, lines=2) for part in result.parts[i] if part]
    high = max(map(len, said), default=0)
    for k, text in enumerate(said):
        x = start + k * (side + _BETWEEN)
        low = sheet.lines(x, at, asked[k] if asked else [], SMALL, theme.quiet) if lines else at
        low = at + lines * (low - at) / max(len(asked[k]), 1) if lines else at
        sheet.lines(x, low, text, BODY, theme.ink, bold=True)
        top = low + high * BODY * 1.35
        top = sheet.lines(x, top, [_number(result, i, k)], SMALL, theme.quiet) + 4
        for m, called in enumerate(result.maps):
            size = _size(result, side)
            shown = _map(sheet, x, top, size, result, (i, k, m), look)
            if k == 0:
                lines_ = wrapped(called, SMALL, _NAMES - 8, lines=3)
                sheet.lines(start - 8, top + size[0] / 2 - 6 * len(lines_), lines_, SMALL, theme.quiet, align="right")
            top = shown + 6
        end = max(end, top)
    return max(end, at)


def _size(result: Captions, side: float) -> tuple[float, float]:
    high, wide = result.photos.shape[1:3]
    return side * high / max(high, wide), side * wide / max(high, wide)


def _map(
    sheet: Sheet, x: float, y: float, size: tuple[float, float], result: Captions, which: tuple[int, int, int],
    look: Look,
) -> float:  # fmt: skip
    i, k, m = which
    heat = result[i].heatmap(k, result.maps[m])
    under = partial(photograph, result.photos[i])
    return panel(sheet, x, y, size, heat, under, look.scales([heat])[0], look)[3]


def _number(result: Captions, i: int, k: int) -> str:
    value = float(result.scores[i, k])
    if result.unit == "nats":  # of a log probability people read the probability
        return percent(math.exp(value))
    return f"{plus(value)} {result.unit}".rstrip()


def _reading(result: Captions) -> str:
    colors = ", orange-red speaks for the part and blue against it" if any(result.signed) else ""
    what = "its probability, given the words before it" if result.unit == "nats" and not result.questions else (
        "its probability" if result.unit == "nats" else f"its share of the score, in {result.unit or 'its unit'}"
    )  # fmt: skip
    return f"Under each part: {what}; then its maps, each on a scale of its own{colors}."


def _spoken(result: Captions, i: int) -> str:
    name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
    if result.sentences[i]:
        return f"{name}: {result.sentences[i]}"
    answers = [f"{question} {part}" for question, part in zip(result.questions, result.parts[i], strict=False)]
    return f"{name}: {', '.join(answers) or 'no part'}"
