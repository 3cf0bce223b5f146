"""A mistake: the image and where it speaks for the wrong class, the verdict, its causes, and the training images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import percent, sentence, shortened, wrapped
from pellucid.draw.look import Look, panel
from pellucid.draw.overlay import Window
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.geometry import Floats
from pellucid.result import Mistakes

_SIDE, _FOUND, _GAP = 236.0, 78.0, 7.0
_MOST = 6  # training images that are drawn in a row, of which two stand side by side
_WIDE = 4 * GAP + 2 * _SIDE + ROOM + 320.0
_DOUBTED = 0.5


@drawing(Mistakes)
def draw_mistakes(result: Mistakes, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The image, where it speaks for the answer rather than for its class, the causes; below it training images."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("no image was asked about: there is nothing to draw")
    name = title or words.title_of(result.meta)
    sheet = Sheet.sized(2 * MARGIN + _WIDE, look.theme.paper)
    y = heading(sheet, name, unplaced(result.meta.net), look) + 4
    for i in range(len(result)):
        y = _one(sheet, y, result, i, look) + 2 * GAP
    notes = [_key(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y - GAP, notes, look) + MARGIN
    alt = f"{name}: {' '.join(_spoken(result, i) for i in range(min(len(result), 3)))}"
    return Picture(sheet, alt, words.about(result.meta, name, alt))


def _one(sheet: Sheet, y: float, result: Mistakes, i: int, look: Look) -> float:
    """One image with all that belongs to it; returns where that ends."""
    theme = look.theme
    said = sentence(result.sentences[i], (result.given[i], result.answers[i]))
    sheet.box(
        (MARGIN, y + 2, MARGIN + 4, y + 2 + 17 * len(wrapped(said, 13, _WIDE - 14, bold=True))), fill=theme.warning
    )
    y = sheet.paragraph(MARGIN + 12, y, said, 13, theme.ink, _WIDE - 14, bold=True) + 10
    top = y
    end = max(
        _pictured(sheet, y, result, i, look),
        _causes(sheet, MARGIN + 2 * (_SIDE + GAP) + ROOM + GAP, top, result, i, look),
    )
    y, half = end + GAP, (_WIDE - 2 * GAP) / 2
    for r in range(0, len(result.cases[i].rows), 2):
        y = max(_row(sheet, MARGIN + k * (half + 2 * GAP), y, result, (i, r + k), look)
                for k in range(min(2, len(result.cases[i].rows) - r))) + 10  # fmt: skip
    return y


def _pictured(sheet: Sheet, y: float, result: Mistakes, i: int, look: Look) -> float:
    """The image, and the map beside it; returns where their words end."""
    theme, picture, heat = look.theme, result.pictures[i], result.maps[i]
    rect = sheet.photo(MARGIN, y, fitted_pixels(picture, sheet.pixels(_SIDE)))
    name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
    p = result.probabilities[i]
    low = rect[3] + 5
    for color, label, share, what in (
        (theme.accent, result.given[i], p[1], "its class"), (theme.warning, result.answers[i], p[0], "the answer"),
    ):  # fmt: skip
        lines = wrapped(f"{label}  {percent(float(share))}", BODY, _SIDE - 14, bold=True, lines=2)
        sheet.box((MARGIN, low + 2, MARGIN + 8, low + 12), fill=color)
        low = sheet.lines(MARGIN + 14, low, lines, BODY, theme.ink, bold=True)
        low = sheet.lines(MARGIN + 14, low, [what], SMALL, theme.quiet)
    low = sheet.lines(MARGIN, low + 2, [shortened(name, SMALL, _SIDE)], SMALL, theme.quiet)
    left = MARGIN + _SIDE + GAP
    (scale,) = look.scales([heat])
    rect = panel(sheet, left, y, (_SIDE, _SIDE), heat, _under(picture), scale, look, placed=False)
    color_bar(sheet, rect[2] + 8, y, _SIDE, scale, heat.unit, theme, look.opacity)
    told = f"where it looks like {result.rivals[i]} (orange-red) rather than {result.given[i]} (blue)"
    return max(low, sheet.paragraph(left, rect[3] + 5, told, SMALL, theme.quiet, _SIDE, most=3))


def _under(picture: NDArray[np.uint8]) -> Any:
    def photo(window: Window) -> Floats:
        rows, columns = window.shape
        return np.asarray(Image.fromarray(picture).resize((columns, rows), Image.Resampling.LANCZOS), np.float64) / 255

    return photo


def _causes(sheet: Sheet, left: float, y: float, result: Mistakes, i: int, look: Look) -> float:
    """Each cause with what was found of it, marked where it holds; and the most similar classes."""
    theme, room = look.theme, MARGIN + _WIDE - left
    for k, name in enumerate(result.causes):
        holds = bool(result.holds[i, k])
        mark, color = ("●", theme.warning) if holds else ("○", theme.quiet)
        sheet.lines(left, y, [mark], BODY, color, bold=True)
        y = sheet.lines(left + 16, y, [name], BODY, theme.ink if holds else theme.quiet, bold=True)
        y = sheet.paragraph(left + 16, y, sentence(result.said[i][k], (result.given[i], result.rivals[i])), SMALL,
                            theme.ink if holds else theme.quiet, room - 16) + 6  # fmt: skip
    known = np.isfinite(result.similarity[i])
    if not known.any():
        return y
    sheet.line((left, y), (left + room, y), theme.faint)
    y = sheet.lines(
        left, y + 4, [shortened(f"classes most similar to {result.given[i]}", SMALL, room)], SMALL, theme.quiet
    )
    longest = float(np.nanmax(result.similarity[i]))
    for k in np.flatnonzero(known).tolist():
        label, value = result.similar_classes[i][k], float(result.similarity[i, k])
        color = theme.warning if label == result.rivals[i] else theme.faint
        sheet.box((left, y + 3, left + (room - 140) * max(value, 0.0) / max(longest, 1e-12), y + 11), fill=color)
        sheet.lines(left + room - 132, y, [shortened(label, SMALL, 132)], SMALL, theme.ink)
        y += SMALL * 1.5
    return y


def _row(sheet: Sheet, left: float, y: float, result: Mistakes, at: tuple[int, int], look: Look) -> float:
    theme, (i, r) = look.theme, at
    cases, room = result.cases[i], (_WIDE - 2 * GAP) / 2
    sheet.lines(left, y, [shortened(cases.rows[r], BODY, room, True)], BODY, theme.ink, bold=True)
    y = (
        sheet.lines(
            left, y + 15, [shortened(sentence(cases.said[0][r], cases.labels[0][r]), SMALL, room)], SMALL, theme.quiet
        )
        + 3
    )
    low = y
    side = min(_FOUND, (room - (_MOST - 1) * _GAP) / _MOST)
    for k in range(min(cases.values.shape[2], _MOST)):
        x, label, doubt = left + k * (side + _GAP), cases.labels[0][r][k], float(result.doubts[i, r, k])
        x0, y0, x1, y1 = sheet.photo(x, y, fitted_pixels(cases.matches[0, r, k], sheet.pixels(side)))
        color = {result.given[i]: theme.accent, result.rivals[i]: theme.warning}.get(label, theme.faint)
        sheet.box((x0 + 1.5, y0 + 1.5, x1 - 1.5, y1 - 1.5), edge=color, line=3.0)
        lines = wrapped(label, SMALL, side, bold=True, lines=2)
        end = sheet.lines(x, y1 + 2, lines, SMALL, theme.quiet if color == theme.faint else color, bold=True)
        if doubt >= _DOUBTED:
            sheet.box((x, end + 1, x + side, end + 15), fill=theme.ink)
            mark = shortened(f"? {percent(doubt)}", SMALL, side - 6, True)
            sheet.lines(x + side / 2, end + 2, [mark], SMALL, theme.paper, bold=True, align="center")
            end += 15
        low = max(low, end)
    return low


def _key(result: Mistakes) -> str:
    return ("Frames: blue, the label is the class of the image; orange, the answer. ? a label that is probably wrong, "
            "with the chance. ● a cause that holds, ○ one that does not.")  # fmt: skip


def _spoken(result: Mistakes, i: int) -> str:
    p = result.probabilities[i]
    return (f"{result.given[i]} {percent(float(p[1]))}, answered with {result.answers[i]} {percent(float(p[0]))}. "
            f"{sentence(result.sentences[i], (result.given[i],))}")  # fmt: skip
