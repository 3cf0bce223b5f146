"""An explanation: the photo and the guesses on the left; a row for each method, a column for each class."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, TITLE, footnotes
from pellucid.draw.letters import LEADING, percent, sentence, wrapped
from pellucid.draw.look import Look, fine, fitted, frame, outline, panel
from pellucid.draw.overlay import Window, dimmed, eight_bit, photograph, seen_box, whole_box
from pellucid.draw.picture import Picture, one_of
from pellucid.draw.predictions import bars, said
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Explanation, Row

_SIDE, _AISLE, _GAP = 220.0, 30.0, 8.0
_ROW_TITLE = 20.0
PHOTO = ("coarse", "all", "none")


@drawing(Explanation)
def draw_explanation(
    explanation: Explanation, over: Any = None, *, title: str | None = None, crop: bool = True,
    photo: Annotated[
        Literal["coarse", "all", "none"], Field(description="maps that lie over the photo; coarse: not those of pixels")
    ] = "coarse",
    **options: Any,
) -> Picture:  # fmt: skip
    """Photo, guesses, and the maps of every method for every guess; one scale in each row.

    `photo` says which maps lie over the photo: coarse ones, all, or none. The maps show what the network saw;
    `crop=False` shows the whole photo in every panel.
    """
    one_of("photo", photo, PHOTO)
    if over is not None:
        raise PellucidError("an explanation holds its own image: draw it without over")
    if not explanation.ranked or any(len(row.maps) != len(explanation.columns) for row in explanation.rows):
        raise PellucidError("the explanation is not whole: each row needs one map for each question, and at least one")
    look = Look(crop=crop, **options)
    image = unplaced(explanation.meta.images[0]) if explanation.meta.images else "the image"
    best = explanation.ranked[0]
    title = title or (f"Why {explanation.asked[-1].name}?" if explanation.asked else f"Why “{best.label}”?")
    alt = f"{image}: {said(explanation.ranked)}."
    if explanation.rows:
        alt += f" A map of each by {', '.join(row.title for row in explanation.rows)}."
    plan = _Plan.of(explanation, look)
    sheet = Sheet.sized(plan.width, look.theme.paper)
    y = sheet.paragraph(
        MARGIN, MARGIN - 4, title, TITLE + 3, look.theme.ink, plan.width - 2 * MARGIN, bold=True, most=2
    )
    below = " · ".join(filter(None, [image, unplaced(explanation.meta.net)]))
    top = sheet.paragraph(MARGIN, y, below, BODY, look.theme.quiet, plan.width - 2 * MARGIN, most=2) + 14
    left_end = _photo_and_guesses(sheet, top, explanation, look)
    right_end = _grid(sheet, top, explanation, plan, photo, look) if explanation.rows else top
    y = max(left_end, right_end) + 6
    sheet.height = footnotes(sheet, y, _notes(explanation, look), look) + MARGIN - 4
    return Picture(sheet, alt, words.about(explanation.meta, title, alt))


@dataclasses.dataclass(frozen=True)
class _Plan:
    """How large the panels are: about the same area for every shape of photo, fewer classes larger."""

    panel: tuple[float, float]
    """(height, width)"""
    column: float
    width: float

    @classmethod
    def of(cls, explanation: Explanation, look: Look) -> _Plan:
        top, left, bottom, right = frame(explanation.view, True, look.crop)[1]
        shape = min(max((right - left) / (bottom - top), 0.25), 4.0)
        count = len(explanation.columns)
        side = {1: 230.0, 2: 205.0, 3: 180.0, 4: 158.0, 5: 140.0}.get(count, 122.0)
        panel = fitted((0.0, 0.0, 1.0, (right - left) / (bottom - top)), (side / shape**0.5, side * shape**0.5))
        column = max(panel[1], 96.0)
        grid = _AISLE + count * (column + _GAP) + ROOM + 4 if explanation.rows else 0.0
        return cls(panel, column, max(_SIDE + grid + 2 * MARGIN, 2 * MARGIN + _SIDE + 120))


def _photo_and_guesses(sheet: Sheet, top: float, explanation: Explanation, look: Look) -> float:
    """The left column; returns where it ends."""
    whole = whole_box(*explanation.picture.shape[:2])
    high, wide = fitted(whole, (_SIDE * 1.5, _SIDE))
    window = Window(whole, (sheet.pixels(high), sheet.pixels(wide)))
    t, l, b, r = seen_box(explanation.view)  # noqa: E741
    y, x = window.points()
    seen = np.outer((y + 0.5 >= t) & (y + 0.5 <= b), (x + 0.5 >= l) & (x + 0.5 <= r))
    shown = eight_bit(dimmed(photograph(explanation.picture, window), seen, look.theme))
    rect = sheet.photo(MARGIN, top, shown)
    outline(sheet, rect, window, (t, l, b, r), look.theme)
    y_now = rect[3] + 6
    if not seen.all():
        y_now = sheet.paragraph(MARGIN, y_now, "Framed: what the network saw.", SMALL, look.theme.quiet, _SIDE)
    return bars(sheet, MARGIN, y_now + 8, _SIDE, explanation.ranked, look.theme)


def _grid(sheet: Sheet, top: float, explanation: Explanation, plan: _Plan, photo: str, look: Look) -> float:
    """Column headers, then a row of panels for each method; returns where it ends."""
    first = MARGIN + _SIDE + _AISLE
    lefts = [first + k * (plan.column + _GAP) for k in range(len(explanation.columns))]
    y = _headers(sheet, top, lefts, explanation, plan, look)
    for row in explanation.rows:
        y = _row(sheet, y, lefts, row, explanation, plan, photo, look)
    return y


def _headers(
    sheet: Sheet, top: float, lefts: Sequence[float], explanation: Explanation, plan: _Plan, look: Look
) -> float:
    """Class names and probabilities above the columns, on a common ground line."""
    names = [wrapped(c.name, BODY, plan.column - 2, bold=True, lines=4) for c in explanation.columns]
    tallest = max(map(len, names))
    y = top
    for left, name, column in zip(lefts, names, explanation.columns, strict=True):
        y = sheet.lines(left, top + (tallest - len(name)) * BODY * LEADING, name, BODY, look.theme.ink, bold=True)
        below = "" if column.probability is None else percent(column.probability)
        y = sheet.lines(left, y, [below], BODY, look.theme.quiet)
    return y + 8


def _row(
    sheet: Sheet,
    y: float,
    lefts: Sequence[float],
    row: Row,
    explanation: Explanation,
    plan: _Plan,
    photo: str,
    look: Look,
) -> float:
    """The maps of one method and their common color bar; returns where the row ends."""
    theme, first, last = look.theme, lefts[0], lefts[-1] + plan.column
    sheet.line((first, y), (last, y), theme.faint, 0.7)
    # The maps of the same method may differ in their sign only if somebody made them so: each keeps its own view.
    scales = look.scales(row.maps)
    heading = wrapped(row.title, BODY, last - first, bold=True, lines=2)
    y = sheet.lines(first, y + 4, heading, BODY, theme.ink, bold=True) + 3
    for one in sorted(row.trust, key=lambda one: one.passed is not False):  # what speaks against the map comes first
        color = theme.warning if one.passed is False else theme.quiet
        y = sheet.paragraph(first, y, sentence(one.text), SMALL, color, last - first, most=2)
    y += 3 * bool(row.trust)
    over = photo == "all" or (photo == "coarse" and not fine(row.maps[0].placement))
    under = partial(photograph, explanation.picture) if over else None
    bottom = y
    for left, heat, scale in zip(lefts, row.maps, scales, strict=True):
        rect = panel(sheet, left, y, plan.panel, heat, under, scale, look)
        bottom = max(bottom, rect[3])
    high = max(bottom - y, 78.0)
    bar = max(range(len(scales)), key=lambda i: scales[i].limit)
    opacity = look.opacity if over else None
    color_bar(sheet, last + 8, y, high, scales[bar], row.maps[bar].unit, theme, opacity)
    return y + high + 10


def _notes(explanation: Explanation, look: Look) -> list[str]:
    """How to read the colors, then what each method has to say."""
    lines = _key(explanation, look) if explanation.rows else []
    for row in explanation.rows:
        found = words.notes_of(row.maps)
        lines += [f"{row.title}: {'; '.join(words.few(found))}."] if found else []
    meta = explanation.meta
    if not meta.versions and explanation.rows:
        meta = dataclasses.replace(meta, versions=explanation.rows[0].maps[0].meta.versions)
    return [*lines, *words.noted(explanation.meta), *filter(None, [words.origin(meta)])]


def readings(rows: Sequence[Row], look: Look) -> list[str]:
    """One sentence for each way in which the colors of the rows are to be read."""
    said: dict[str, list[str]] = {}
    for row in rows:
        view, meaning = look.view_of(row.maps[0]), words.meaning(row.maps, "class")
        said.setdefault(words.reading(view, look.palette, meaning), []).append(row.title)
    said.pop("", None)
    every = len(said) == 1
    return [f"{text[:1].upper()}{text[1:]}." if every else f"{', '.join(of)}: {text}." for text, of in said.items()]


def _key(explanation: Explanation, look: Look) -> list[str]:
    """One sentence for each way in which the rows are to be read, and one about the scales."""
    lines = readings(explanation.rows, look)
    if not isinstance(look.scale, str):
        return [*lines, f"All colors end at {look.scale:g}."]
    own = "Each panel has its own scale" if look.scale == "own" else "One scale in each row"
    cut = [row.title for row in explanation.rows if look.percentile_of(row.maps[0]) < 100]
    if cut:
        ends = {look.percentile_of(row.maps[0]) for row in explanation.rows}
        own += f"; the colors of {', '.join(cut)} end at {min(ends):g} % of the magnitudes"
    return [*lines, own + "."]
