"""Tours: the photo with its classes, then filters, units by depth, and where the score comes from, in rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import chance, number, shortened
from pellucid.draw.lit import heated, lit, plus
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.draw.tour_page import shaded, tour_page
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Tour, TourLayer, Walk

_PHOTO, _UNIT, _HEAT, _NAME = 220.0, 78.0, 150.0, 150.0
_FILTER, _LARGE = 30.0, 62.0  # of a filter with the gap beside it, least and most
_MOST = 8


@drawing(Tour)
def draw_tour(result: Tour, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """One walk below the other, over the images that it holds; saved as .html, a page that says more."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("no image was asked about: there is nothing to draw")
    title = title or words.title_of(result.meta)
    notes = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    shown = min(len(result), _MOST)
    sheets = [_walked(result, i, title, look) for i in range(shown)]
    more = [f"Shown are {shown} of {len(result)} images; result[i] is one."] if shown < len(result) else []
    page = ["Saved as .html it is a page, with colors, a map of photos, and what is known of human vision."]
    last = Sheet.sized(sheets[-1].width, look.theme.paper)
    last.height = footnotes(last, 0, [*more, *page, *notes], look) + MARGIN
    asked = ", ".join(walk.asked for walk in result.walks[:shown])
    alt = f"{title}: {asked}, through {len(result.walks[0].layers)} layers, each with the units that add most to it."
    below = unplaced(result.meta.net) if result.meta.net else ""

    def tour() -> bytes:
        return tour_page(result, {"TITLE": title, "ABOUT": below, "ALT": alt}, notes, dark=dark)

    return Picture(Sheet.stacked([*sheets, last]), alt, words.about(result.meta, title, alt), page=tour)


def _walked(result: Tour, i: int, title: str, look: Look) -> Sheet:
    walk = result.walks[i]
    units = max(len(one.units) for one in walk.layers)
    each = (3 if walk.layers[0].pictures is not None else 2) * (_UNIT + 3) + GAP
    wide = max(_NAME + GAP + units * each, len(walk.layers) * (_HEAT + GAP), 760.0)
    sheet = Sheet.sized(wide + 2 * MARGIN, look.theme.paper)
    image = unplaced(result.meta.images[i]) if i < len(result.meta.images) else ""
    below = " · ".join(filter(None, [image, walk.asked, f"score {number(walk.score)}", unplaced(result.meta.net)]))
    y = heading(sheet, title, below, look)
    y = (findings(sheet, y, result.findings, look, names=words.names_in(result)) if not i else y) + 8
    y = _begin(sheet, y, result, walk, look) + GAP
    y = _head(
        sheet, y, "The units that add most, from early to late: made for each, a patch of a photo, and here", look
    )
    for layer in walk.layers:
        y = _row(sheet, y, walk, layer, each, look)
    y = _head(sheet, y + 4, "Where the score comes from, layer by layer", look)
    low = y
    for k, layer in enumerate(walk.layers):
        x = MARGIN + k * (_HEAT + GAP)
        rect = sheet.photo(x, y, heated(walk.photo, layer.values, layer.placement, sheet.pixels(_HEAT), look))
        said = shortened(f"{layer.layer} {plus(layer.total)}", SMALL, _HEAT)
        low = max(low, sheet.lines(x, rect[3] + 3, [said], SMALL, look.theme.quiet))
    sheet.height = low + GAP
    return sheet


def _head(sheet: Sheet, y: float, text: str, look: Look) -> float:
    return sheet.lines(MARGIN, y, [text], BODY, look.theme.ink, bold=True) + 5


def _begin(sheet: Sheet, y: float, result: Tour, walk: Walk, look: Look) -> float:
    """The photo and its classes, and beside them the first filters."""
    theme = look.theme
    rect = sheet.photo(MARGIN, y, fitted_pixels(walk.photo, sheet.pixels(_PHOTO)))
    low, left = y, rect[2] + 2 * GAP
    for one in walk.ranked:
        sheet.lines(left + 190, low, [chance(one.probability, one.logit)], BODY, theme.ink, align="right")
        said = shortened(one.label, BODY, 130)
        low = sheet.lines(left, low, [said], BODY, theme.ink, bold=one is walk.ranked[0]) + 4
    if result.filters is None:
        return max(rect[3], low)
    x0 = left + 190 + 2 * GAP
    top = _first(sheet, x0, y, f"The filters of {result.filters.meta.layer or 'the first layer'}", look)
    wide, high, count = sheet.width - MARGIN - x0, _PHOTO - 20, len(result.filters.values)
    step = max(_FILTER, min(_LARGE, math.sqrt(wide * high / count) * 0.94))
    across, rows = max(int(wide // step), 1), max(int(high // step), 1)
    end = float(np.nanmax(np.abs(result.filters.values), initial=0))
    for k, one in enumerate(result.filters.values[: across * rows]):
        tile = _enlarged(shaded(one, end), sheet.pixels(step - 4))
        sheet.photo(x0 + (k % across) * step, top + (k // across) * step, tile)
    return max(rect[3], low)


def _first(sheet: Sheet, x: float, y: float, text: str, look: Look) -> float:
    room = sheet.width - MARGIN - x
    return sheet.lines(x, y, [shortened(text, SMALL, room)], SMALL, look.theme.quiet) + 4


def _enlarged(pixels: Pixels, side: int) -> Pixels:
    """A few pixels as squares, in a square of that side."""
    rows, columns = (np.arange(side) * n // side for n in pixels.shape[:2])
    return np.asarray(pixels[rows[:, None], columns[None]])


def _row(sheet: Sheet, y: float, walk: Walk, layer: TourLayer, each: float, look: Look) -> float:
    """A layer: its name, and its units."""
    theme = look.theme
    low = sheet.lines(MARGIN, y, [shortened(layer.layer, BODY, _NAME, True)], BODY, theme.ink, bold=True)
    sheet.lines(MARGIN, low, [f"{layer.values.shape[0]} × {layer.values.shape[1]} cells"], SMALL, theme.quiet)
    side = sheet.pixels(_UNIT)
    for k, unit in enumerate(layer.units.tolist()):
        x = MARGIN + _NAME + GAP + k * each
        made = [] if layer.pictures is None else [fitted_pixels(layer.pictures[k], side)]
        here = lit(walk.photo, layer.maps[k], layer.placement, side, look)
        for n, pixels in enumerate([*made, fitted_pixels(layer.patches[k], side), here]):
            sheet.photo(x + n * (_UNIT + 3), y, pixels)
        said = f"unit {unit} · {plus(float(layer.shares[k]))}"
        sheet.lines(x, y + _UNIT + 3, [said], SMALL, theme.quiet)
    return y + _UNIT + 24
