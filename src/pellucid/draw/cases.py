"""Training cases: each image beside its rows of training images, framed by whether their class is the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, percent, sentence, shortened, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Cases

_ASKED, _FOUND, _GAP = 190.0, 84.0, 7.0
_MOST = 9  # training images that are drawn of each row
_SAME, _OTHER = {False: "#138060", True: "#4cc9a0"}, {False: "#b3263a", True: "#f58a92"}
"""The color of a frame, on light and on dark paper: the class is the answer, or another one."""


@drawing(Cases)
def draw_cases(result: Cases, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The image with its answer on the left, a row of training images for each layer or direction on the right."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("no image was asked about: there is nothing to draw")
    title = title or words.title_of(result.meta)
    shown = min(result.values.shape[2], _MOST)
    left = MARGIN + _ASKED + 2 * GAP
    sheet = Sheet.sized(max(left + shown * (_FOUND + _GAP) - _GAP + MARGIN, 560.0), look.theme.paper)
    y = heading(sheet, title, unplaced(result.meta.net), look)
    if result.findings:
        y = findings(sheet, y, result.findings, look) + 8
    for i in range(len(result)):
        end = _asked(sheet, y, result, i, look)
        top = y
        for r in range(len(result.rows)):
            top = _row(sheet, left, top, result, (i, r), shown, look) + 9
        end = max(end, top)
        sheet.line((left - GAP, y), (left - GAP, end - 9), look.theme.faint, 1.0)
        y = end + GAP
    notes = [_key(result, shown), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y - 6, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(_spoken(result, i) for i in range(min(len(result), 3)))}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _asked(sheet: Sheet, y: float, result: Cases, i: int, look: Look) -> float:
    """The image, its answer, and whether that is right where it is known."""
    theme, given = look.theme, result.given[i]
    rect = sheet.photo(MARGIN, y, fitted_pixels(result.queries[i], sheet.pixels(_ASKED)))
    if given is not None:
        color = (_SAME if given == result.answers[i] else _OTHER)[theme.dark]
        sheet.box((rect[0] + 1.5, rect[1] + 1.5, rect[2] - 1.5, rect[3] - 1.5), edge=color, line=3.0)
    found = result.meta.found.get("probability")
    p = f" · {percent(float(found[i]))}" if isinstance(found, tuple) and len(found) > i else ""
    lines = wrapped(f"{result.answers[i]}{p}", BODY, _ASKED, bold=True, lines=2)
    end = sheet.lines(MARGIN, rect[3] + 4, lines, BODY, theme.ink, bold=True)
    if given is not None and given != result.answers[i]:
        end = sheet.lines(MARGIN, end, wrapped(f"✗ its class is {given}", SMALL, _ASKED, lines=2), SMALL, theme.warning)
    name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
    return sheet.lines(MARGIN, end, wrapped(name, SMALL, _ASKED, lines=1), SMALL, theme.quiet)


def _row(sheet: Sheet, left: float, y: float, result: Cases, at: tuple[int, int], shown: int, look: Look) -> float:
    theme, (i, r) = look.theme, at
    room = sheet.width - MARGIN - left
    name = shortened(result.rows[r], BODY, room, True)
    sheet.lines(left, y, [name], BODY, theme.ink, bold=True)
    said = shortened(sentence(result.said[i][r], result.answers), SMALL, room)
    y = sheet.lines(left, y + 15, [said], SMALL, theme.quiet) + 3
    low = y
    for k in range(shown):
        low = max(low, _one(sheet, left + k * (_FOUND + _GAP), y, result, (i, r, k), look))
    return low


def _one(sheet: Sheet, left: float, y: float, result: Cases, at: tuple[int, int, int], look: Look) -> float:
    theme, (i, r, k) = look.theme, at
    label, same = result.labels[i][r][k], bool(result.duplicates[at])
    x0, y0, x1, y1 = sheet.photo(left, y, fitted_pixels(result.matches[at], sheet.pixels(_FOUND)))
    right = label == result.answers[i]
    color = theme.faint if not label else (_SAME if right else _OTHER)[theme.dark]
    sheet.box((x0 + 1.5, y0 + 1.5, x1 - 1.5, y1 - 1.5), edge=color, line=3.0)
    said = f"{'' if not label else '✓ ' if right else '✗ '}{label or unplaced(result.names[i][r][k])}"
    low = sheet.lines(
        left, y1 + 2, [shortened(said, SMALL, _FOUND, True)], SMALL, color if label else theme.quiet, bold=True
    )
    value = _value(float(result.values[at]), result.units[r])
    return sheet.lines(left, low, [f"{value}{' · same' if same else ''}"], SMALL, theme.quiet)


def _value(value: float, unit: str) -> str:
    return f"{value:.3f}".replace("-", "−") if unit == "cosine" else number(value)


def _key(result: Cases, shown: int) -> str:
    units = ", ".join(dict.fromkeys(result.units))
    more = f" Shown are {shown} of {result.values.shape[2]} in each row." if shown < result.values.shape[2] else ""
    same = "; same: the image that is asked about, or nearly" if result.duplicates.any() else ""
    return f"✓ green: its class is the answer; ✗ red: another class. Below each: {units}{same}.{more}"


def _spoken(result: Cases, i: int) -> str:
    """An image and its rows, for those who do not see them."""
    rows = "; ".join(f"{name}: {said}" for name, said in zip(result.rows, result.said[i], strict=True))
    wrong = "" if result.given[i] in (None, result.answers[i]) else f", its class is {result.given[i]}"
    shares = int(np.count_nonzero(result.agrees[i])), result.agrees[i].size
    return f"{result.answers[i]}{wrong}, {shares[0]} of {shares[1]} training images are of that class; {rows}"
