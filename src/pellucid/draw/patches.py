"""Patches of real images that excite a unit: each in its image, and by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Rect, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Patches
from pellucid.result.patches import Box

_SIDE, _ACROSS = 190.0, 3


@drawing(Patches)
def draw_patches(result: Patches, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Every patch beside the image that it comes from, outlined there, with its activation and its class."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError(f"{result.meta.target or 'the unit'} was not active on any image: there is nothing to draw")
    title = title or words.title_of(result.meta)
    across = min(len(result), _ACROSS)
    cell = 2 * _SIDE + 6
    sheet = Sheet.sized(across * (cell + GAP) - GAP + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, " · ".join(filter(None, [result.meta.target, unplaced(result.meta.net)])), look)
    for start in range(0, len(result), across):
        row = range(start, min(start + across, len(result)))
        y = max(_one(sheet, MARGIN + k * (cell + GAP), y, result, i, look) for k, i in enumerate(row)) + GAP
    notes = [*moved(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    best = ", ".join(label or unplaced(name) for name, label in zip(result.names[:5], result.labels[:5], strict=True))
    alt = f"{title} of {result.meta.target}: the {len(result)} strongest patches; the first come from {best}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _one(sheet: Sheet, left: float, top: float, result: Patches, i: int, look: Look) -> float:
    picture, box = result.pictures[i], result.boxes[i]
    rect = sheet.photo(left, top, fitted_pixels(picture, sheet.pixels(_SIDE)))
    outline(sheet, rect, box, (picture.shape[0], picture.shape[1]))
    patch = sheet.photo(left + _SIDE + 6, top, fitted_pixels(shown(result, i), sheet.pixels(_SIDE)))
    said = f"{number(float(result.values[i]))} · {result.labels[i] or unplaced(result.names[i])}"
    room = 2 * _SIDE + 6
    low = max(rect[3], patch[3]) + 4
    return sheet.lines(left, low, wrapped(said, SMALL, room, lines=1), SMALL, look.theme.quiet)


def within(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a box moved into an image of that size (height, width), as large as it was if that
    fits: people recognize what they see whole, and gray padding shows them nothing.
    """
    top, left, bottom, right = (round(edge) for edge in box)
    high, wide = min(bottom - top, size[0]), min(right - left, size[1])
    top, left = min(max(top, 0), size[0] - high), min(max(left, 0), size[1] - wide)
    return top, left, top + high, left + wide


def shown(result: Patches, i: int) -> NDArray[np.uint8]:
    """Patch i as it is drawn: of its size, and inside its image."""
    top, left, bottom, right = within(result.boxes[i], result.pictures[i].shape[:2])
    return result.pictures[i][top:bottom, left:right]


def moved(result: Patches) -> list[str]:
    """Says where patches were moved, if one was."""
    every = zip(result.boxes, result.pictures, strict=True)
    if all(within(box, picture.shape[:2]) == tuple(round(edge) for edge in box) for box, picture in every):
        return []
    return ["A field that reaches past the edge of its image is shown moved inside, or as far as there is image."]


def outline(sheet: Sheet, rect: Rect, box: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    """Show where in an image of that size, drawn at `rect`, a patch lies; nothing where it is all of it."""
    down, across = (rect[3] - rect[1]) / size[0], (rect[2] - rect[0]) / size[1]
    shown = (
        max(rect[0] + box[1] * across, rect[0]),
        max(rect[1] + box[0] * down, rect[1]),
        min(rect[0] + box[3] * across, rect[2]),
        min(rect[1] + box[2] * down, rect[3]),
    )
    if shown != rect:
        sheet.box(shown, edge="#000000", line=2.6, opacity=0.55)
        sheet.box(shown, edge="#ffffff", line=1.2)
