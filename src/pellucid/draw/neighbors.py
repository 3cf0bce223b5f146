"""Images beside those that are most like them."""

from __future__ import annotations

from typing import Any

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Neighbors

_ASKED, _FOUND, _ACROSS = 150.0, 104.0, 9
_MOST = 27  # similar images that are drawn of each


@drawing(Neighbors)
def draw_neighbors(result: Neighbors, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """A row for each image: itself, a line, and those most like it with their similarities."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("no image was asked about: there is nothing to draw")
    title = title or words.title_of(result.meta)
    shown = min(result.values.shape[1], _MOST)
    across = min(shown, _ACROSS)
    left = MARGIN + _ASKED + 2 * GAP
    sheet = Sheet.sized(max(left + across * (_FOUND + 6) - 6 + MARGIN, 460.0), look.theme.paper)
    layer = f"layer {result.meta.layer}" if result.meta.layer else ""
    y = heading(sheet, title, " · ".join(filter(None, [layer, unplaced(result.meta.net)])), look)
    for i in range(len(result)):
        rect = sheet.photo(MARGIN, y, fitted_pixels(result.queries[i], sheet.pixels(_ASKED)))
        name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
        end = sheet.lines(MARGIN, rect[3] + 3, wrapped(name, BODY, _ASKED, bold=True, lines=2), BODY, look.theme.ink,
                          bold=True)  # fmt: skip
        top = y
        for start in range(0, shown, across):
            low = max(_one(sheet, left + (k - start) * (_FOUND + 6), top, result, i, k, look)
                      for k in range(start, min(start + across, shown)))  # fmt: skip
            top = low + 6
        end = max(end, top)
        sheet.line((left - GAP, y), (left - GAP, end - 6), look.theme.faint, 1.0)
        y = end + GAP
    unit = {"cosine": "Below each: the cosine of the angle between the two in the layer, 1 for the same direction."}
    how = [unit.get(result.unit, f"Below each: {result.unit} in the layer.")]
    if shown < result.values.shape[1]:
        how.append(f"Shown are the first {shown} of {result.values.shape[1]}.")
    notes = [" ".join(how), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y - 6, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(_said(result, i) for i in range(min(len(result), 5)))}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _one(sheet: Sheet, left: float, top: float, result: Neighbors, i: int, k: int, look: Look) -> float:
    rect = sheet.photo(left, top, fitted_pixels(result.matches[i, k], sheet.pixels(_FOUND)))
    low = sheet.lines(left, rect[3] + 2, [_value(result, i, k)], SMALL, look.theme.ink, bold=True)
    about = result.labels[i][k] or unplaced(result.names[i][k])
    return sheet.lines(left, low, wrapped(about, SMALL, _FOUND, lines=1), SMALL, look.theme.quiet)


def _value(result: Neighbors, i: int, k: int) -> str:
    value = float(result.values[i, k])
    return f"{value:.3f}".replace("-", "−") if result.unit == "cosine" else number(value)


def _said(result: Neighbors, i: int) -> str:
    name = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
    like = ", ".join(
        f"{result.labels[i][k] or unplaced(result.names[i][k])} ({_value(result, i, k)})"
        for k in range(min(3, result.values.shape[1]))
    )
    return f"most like {name} are {like}"
