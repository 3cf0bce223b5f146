"""Patches that excite a unit, each beside what in it did: the figure of Zeiler and Fergus."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, wrapped
from pellucid.draw.look import Look
from pellucid.draw.patches import moved, within
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Projections

_SIDE, _ACROSS = 190.0, 3
_END = 99.7  # percentile of the magnitudes where the colors end: a few pixels are many times stronger than all others


@drawing(Projections)
def draw_projections(result: Projections, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Every patch beside its projection, on a scale of its own around gray, with its activation and its class."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError(f"{result.meta.target or 'the unit'} was not active on any image: there is nothing to draw")
    title = title or words.title_of(result.meta)
    across = min(len(result), _ACROSS)
    cell = 2 * _SIDE + 4
    sheet = Sheet.sized(max(across * (cell + GAP) - GAP, 380.0) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, " · ".join(filter(None, [result.meta.target, unplaced(result.meta.net)])), look)
    for start in range(0, len(result), across):
        row = range(start, min(start + across, len(result)))
        y = max(_one(sheet, MARGIN + k * (cell + GAP), y, result, i, look) for k, i in enumerate(row)) + GAP
    told = "Right of each patch: its projection, gray where it is zero; colors end at 99.7 % of its magnitudes."
    notes = [told, *moved(result.patches), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = f"{title} of {result.meta.target}: the {len(result)} strongest patches, each beside its projection."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _one(sheet: Sheet, left: float, top: float, result: Projections, i: int, look: Look) -> float:
    side = sheet.pixels(_SIDE)
    patch = sheet.photo(left, top, fitted_pixels(cut(result, i, result.patches.pictures[i]), side))
    shown = cut(result, i, seen(result.values[i]))
    other = sheet.photo(patch[2] + 4, top, fitted_pixels(shown, side))
    named = result.patches.labels[i] or unplaced(result.patches.names[i])
    said = f"{number(float(result.patches.values[i]))} · {named}"
    low = max(patch[3], other[3]) + 4
    return sheet.lines(left, low, wrapped(said, SMALL, 2 * _SIDE, lines=1), SMALL, look.theme.quiet)


def cut(result: Projections, i: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What cell i sees of the pixels, as far as possible; where its field is no smaller, all of them."""
    height, width = result.values.shape[2:]
    top, left, bottom, right = within(result.patches.boxes[i], (height, width))
    return pixels[top:bottom, left:right]


def seen(values: NDArray[Any]) -> NDArray[np.uint8]:
    """(channels, rows, columns), signed, as colors around gray: (rows, columns, 3), or 1 for one channel."""
    shown = np.moveaxis(np.asarray(values, np.float64)[:3] if len(values) >= 3 else values[:1], 0, -1)
    sizes = np.abs(shown[np.isfinite(shown)])
    some = sizes[sizes > 0]
    end = float(np.percentile(some, _END)) if some.size else 1.0
    gray: NDArray[np.uint8] = np.rint(127.5 + 127.5 * np.nan_to_num(shown / end).clip(-1, 1)).astype(np.uint8)
    return gray
