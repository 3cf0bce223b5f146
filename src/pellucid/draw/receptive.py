"""Receptive fields: true to scale in one picture, and each by itself, as large as it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw import words
from pellucid.draw.colors import Scale, table
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Rect, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import ReceptiveFields
from pellucid.result.patches import Box

_SIDE, _ACROSS = 190.0, 6
_TOP = 99.8  # percentile at which colors end
_AIR = 0.06  # around a field, of its side


@drawing(ReceptiveFields)
def draw_fields(result: ReceptiveFields, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """All fields in one frame of the network's input, then each layer's map with both of its fields."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("receptive fields are those of a network, not of an image: draw them without over=")
    title = title or words.title_of(result.meta)
    across = min(len(result) + 1, _ACROSS)
    sheet = Sheet.sized(max(across * (_SIDE + GAP) - GAP, 420.0) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, unplaced(result.meta.net), look)
    ends: list[float] = []
    lefts = [MARGIN + k * (_SIDE + GAP) for k in range(across)]
    for k in range(len(result) + 1):
        if k and k % across == 0:
            y, ends = max(ends) + GAP, []
        left = lefts[k % across]
        ends.append(_together(sheet, left, y, result, look) if k == 0 else _one(sheet, left, y, result, k - 1, look))
    how = (
        "Violet is how much a pixel moves the middle cell. Gray frame: the theoretical field, "
        "every pixel that can. Blue frame: the effective field, two standard deviations to every side."
    )
    notes = [how, *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, max(ends) + GAP, notes, look) + MARGIN
    said = "; ".join(f"{name} {_sizes(result, i)[0]}, {_sizes(result, i)[1]}" for i, name in enumerate(result.layers))
    alt = f"{title} of {len(result)} layers: {said}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _together(sheet: Sheet, left: float, top: float, result: ReceptiveFields, look: Look) -> float:
    """Every effective field in one frame, at true scale; returns where the caption ends."""
    high, wide = result.values.shape[1:]
    size = (_SIDE * high / max(high, wide), _SIDE * wide / max(high, wide))
    rect = (left, top, left + size[1], top + size[0])
    sheet.box(rect, fill=look.theme.faint, opacity=0.35)
    whole: Box = (0.0, 0.0, float(high), float(wide))
    for i in reversed(range(len(result))):
        shown = _placed(rect, whole, result.effective(i))
        sheet.box(shown, fill=look.theme.accent, opacity=0.16)
        sheet.box(shown, edge=look.theme.accent, line=0.9)
    sheet.box(rect, edge=look.theme.quiet, line=0.8)
    y = sheet.lines(left, rect[3] + 5, ["At true size"], BODY, look.theme.ink, bold=True)
    said = f"effective fields in the network's input of {high} × {wide} pixels"
    return sheet.lines(left, y, wrapped(said, SMALL, _SIDE - 6), SMALL, look.theme.quiet)


def _one(sheet: Sheet, left: float, top: float, result: ReceptiveFields, i: int, look: Look) -> float:
    """One layer: the part of the input that it can see, its map, both fields; returns where the caption ends."""
    values, box = result.values[i], result.boxes[i]
    window = _window(box, values.shape)
    side = max(window[2] - window[0], window[3] - window[1])
    size = (_SIDE * (window[2] - window[0]) / side, _SIDE * (window[3] - window[1]) / side)
    rect = sheet.photo(left, top, _pixels(values, window, (sheet.pixels(size[0]), sheet.pixels(size[1])), look))
    sheet.box(rect, edge=look.theme.faint, line=0.6)
    for shape, color, line in ((box, look.theme.quiet, 1.3), (result.effective(i), look.theme.accent, 1.6)):
        sheet.box(_placed(rect, window, shape), edge=color, line=line)
    y = sheet.lines(left, top + _SIDE + 5, wrapped(result.layers[i], BODY, _SIDE, bold=True, lines=2), BODY,
                    look.theme.ink, bold=True)  # fmt: skip
    return sheet.lines(left, y, list(_sizes(result, i)), SMALL, look.theme.quiet)


def _sizes(result: ReceptiveFields, i: int) -> tuple[str, str, str]:
    """Both fields in words."""
    (high, wide), (down, across) = result.size(i), result.strides[i]
    top, left, bottom, right = result.effective(i)
    step = number(down) if down == across else f"{number(down)} × {number(across)}"
    return (
        f"theoretical {high:.0f} × {wide:.0f}",
        f"effective {bottom - top:.0f} × {right - left:.0f}: {100 * result.share(i):.0f} % of it",
        f"a cell every {step} pixels",
    )


def _window(box: Box, size: tuple[int, ...]) -> Box:
    """What is shown of the input, (top, left, bottom, right): the field as far as it lies inside, and a little air."""
    air = max(_AIR * (box[2] - box[0]), 1.0)
    low, high = (max(box[0] - air, 0.0), max(box[1] - air, 0.0)), (
        min(box[2] + air, float(size[0])),
        min(box[3] + air, float(size[1])),
    )  # fmt: skip
    return float(np.floor(low[0])), float(np.floor(low[1])), float(np.ceil(high[0])), float(np.ceil(high[1]))


def _placed(rect: Rect, window: Box, box: Box) -> Rect:
    """A box of the input on the sheet, cut to the panel."""
    down, across = (rect[3] - rect[1]) / (window[2] - window[0]), (rect[2] - rect[0]) / (window[3] - window[1])
    return (
        max(rect[0] + (box[1] - window[1]) * across, rect[0]),
        max(rect[1] + (box[0] - window[0]) * down, rect[1]),
        min(rect[0] + (box[3] - window[1]) * across, rect[2]),
        min(rect[1] + (box[2] - window[0]) * down, rect[3]),
    )


def _pixels(values: NDArray[np.float64], window: Box, size: tuple[int, int], look: Look) -> NDArray[np.uint8]:
    """The map in its window as colors, pixel by pixel."""
    top, left, bottom, right = (int(edge) for edge in window)
    part = values[top:bottom, left:right]
    known = part[part > 0]
    scale = Scale(
        float(np.percentile(known, _TOP)) if known.size else 0.0, "magnitude", table("magnitude", None, look.theme)
    )
    colors = scale.color(scale.position(part))
    picture = Image.fromarray((255 * colors.clip(0, 1)).round().astype(np.uint8))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.NEAREST))
