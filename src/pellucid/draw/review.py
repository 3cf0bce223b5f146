"""Reviews: a row for each cluster, its mean map and its most typical photos under their maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw import words
from pellucid.draw.colors import diverging
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import percent, shortened
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.review_page import review_page
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Review

_SIDE, _GAP, _ACROSS, _ROWS = 92.0, 6.0, 6, 24
_PALE = 0.72
"""How strong the strongest color of a map is over its photo."""


@drawing(Review)
def draw_review(result: Review, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The mean map of every cluster, then its photos: red speaks for the class, blue against it."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a review is not drawn over images: draw it without over=")
    if not result.clusters:
        raise PellucidError("the review has no clusters: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized((_ACROSS + 1) * (_SIDE + _GAP) + 8 + 2 * MARGIN, look.theme.paper)
    below = " · ".join(filter(None, [unplaced(result.meta.net)]))
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look) + 8
    for k in range(min(len(result.clusters), _ROWS)):
        y = _row(sheet, y, result, k, look)
    notes = ["Red speaks for the class and blue against it; the first map of a cluster is its mean."]
    origin = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    told = [*notes, *origin]
    if len(result.clusters) > _ROWS:
        notes.append(f"{_ROWS} of {len(result.clusters)} clusters; saved as .html it is a page with all of them.")
    sheet.height = footnotes(sheet, y, [*notes, *origin], look) + MARGIN
    odd = ", ".join(one.name for one in result.clusters if one.suspicious)
    alt = f"{title}: {len(result.clusters)} clusters; suspicious: {odd or 'none'}."
    about = words.about(result.meta, title, alt)

    def page() -> bytes:
        return review_page(result, {"TITLE": title, "ABOUT": below, "ALT": alt}, told, dark=dark)

    return Picture(sheet, alt, about, page=page)


def _row(sheet: Sheet, y: float, result: Review, k: int, look: Look) -> float:
    one, theme = result.clusters[k], look.theme
    room = sheet.width - 2 * MARGIN
    said = f"{len(one.members)} photos, {percent(one.share)} of the class, {percent(one.accuracy)} right"
    mark = "suspicious · " if one.suspicious else ""
    color = theme.warning if one.suspicious else theme.ink
    y = sheet.lines(MARGIN, y, [shortened(f"{one.name}: {mark}{said}", BODY, room, True)], BODY, color, bold=True)
    y = sheet.lines(MARGIN, y, [shortened(one.said, SMALL, room)], SMALL, theme.quiet) + 4
    side = sheet.pixels(_SIDE)
    mean = result.means[k] / max(float(np.abs(result.means[k]).max()), 1e-12)
    ground = np.full((side, side, 3), 255 * theme.ground.mean(), np.uint8)
    sheet.photo(MARGIN, y, overlaid(ground, mean, dark=theme.dark, opaque=True))
    for n, i in enumerate(result.photos_of(k)[:_ACROSS]):
        photo = np.asarray(Image.fromarray(result.pictures[i]).resize((side, side), Image.Resampling.BICUBIC))
        sheet.photo(MARGIN + 8 + (n + 1) * (_SIDE + _GAP), y, overlaid(photo, result.maps[i], dark=theme.dark))
    return y + _SIDE + 14


def overlaid(photo: NDArray[np.uint8], heat: NDArray[np.float64], *, dark: bool, opaque: bool = False) -> Pixels:
    """A photo (H, W, 3), gray under a map (S, S) in −1..1 whose colors are the stronger the larger its values are."""
    high, wide = photo.shape[:2]
    if opaque:
        y, x = (np.arange(n) * len(heat) // n for n in (high, wide))
        values = heat[y[:, None], x[None]]
    else:
        values = np.asarray(Image.fromarray(heat.astype(np.float32)).resize((wide, high), Image.Resampling.BICUBIC))
    values = values.clip(-1, 1)
    table = diverging(dark)
    colors = 255 * table[np.rint((values + 1) / 2 * (len(table) - 1)).astype(int)]
    strength = np.ones_like(values) if opaque else _PALE * np.abs(values)
    gray = photo.astype(np.float64).mean(-1, keepdims=True)
    under = photo.astype(np.float64) if opaque else 0.5 * gray + 0.5 * photo
    mixed = under * (1 - strength[..., None]) + colors * strength[..., None]
    return np.asarray(np.rint(mixed).clip(0, 255), np.uint8)
