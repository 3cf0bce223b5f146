"""Synthetic pictures: each with what it shows, and with what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw import words
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, percent, unplaced, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.errors import PellucidError
from pellucid.result import Pictures, Trust

_SIDES = {1: 420.0, 2: 320.0, 3: 260.0, 4: 220.0}
_MOST = 5  # in a row


def draw_pictures(
    result: Pictures, over: Any = None, *, title: str | None = None, columns: int | None = None, dark: bool = False
) -> Picture:
    """All pictures in a grid, each above its name, its facts and its trust; what belongs beside it to its left."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("there are no pictures to draw")
    if columns is not None and columns < 1:
        raise PellucidError(f"columns={columns}: at least 1")
    title = title or words.title_of(result.meta)
    each = 1 + len(result.beside)
    across = columns or result.columns or min(len(result), max(_MOST // each, 1))
    side = _SIDES.get(across * each, 180.0)
    cell = each * (side + GAP) - GAP
    sheet = Sheet.sized(max(across * (cell + GAP) - GAP, 380.0) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, _below(result), look)
    for start in range(0, len(result), across):
        ends = [
            _one(sheet, MARGIN + k * (cell + GAP), y, side, result, i, look)
            for k, i in enumerate(range(start, min(start + across, len(result))))
        ]
        y = max(ends) + GAP
    notes = [*words.few(result.meta.notes), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(f'{name} ({said(result, i)})' for i, name in enumerate(result.names))}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _below(result: Pictures) -> str:
    parts = [result.meta.target if result.meta.target not in (None, *result.names) else None]
    return " · ".join(filter(None, [*parts, result.meta.layer, unplaced(result.meta.net)]))


def _one(sheet: Sheet, left: float, top: float, side: float, result: Pictures, i: int, look: Look) -> float:
    """Picture i with what is shown beside it, and its caption; returns where it ends."""
    shown = [*((name, values[i]) for name, values in result.beside.items()), (result.names[i], result.pixels[i])]
    bottom = top
    for k, (name, pixels) in enumerate(shown):
        at, y = left + k * (side + GAP), top
        rect = sheet.photo(at, y, fitted_pixels(pixels, sheet.pixels(side)))
        y = sheet.lines(at, rect[3] + 4, wrapped(name, BODY, side, bold=True, lines=2), BODY, look.theme.ink, bold=True)
        if k == len(shown) - 1:
            y = sheet.paragraph(at, y, said(result, i), SMALL, look.theme.quiet, side)
        bottom = max(bottom, y)
    return bottom


def said(result: Pictures, i: int) -> str:
    """What was measured of picture i, in words."""
    facts = [f"{name} {number(values[i])}" for name, values in result.facts.items()]
    return " · ".join([*facts, *(trusted(result.trust[i]) if result.trust else ())])


def trusted(trust: Trust) -> list[str]:
    """A trust in words, worst first."""
    parts = ["adversarial noise: it collapses under a 4-pixel shift"] if trust.adversarial else []
    parts.append(f"activation {number(trust.activation)}")
    if trust.ratio is not None:
        parts.append(f"{number(trust.ratio)} × the best of {trust.real_images} real images")
    else:
        parts.append("best real image unknown")
    if trust.robust is not None:
        parts.append(f"robust {number(trust.robust)}")
    if trust.kept is not None:
        parts.append(f"keeps {percent(trust.kept)} when shifted")
    if trust.rank is not None:
        parts.append(f"rank {trust.rank} of {trust.channels} channels")
    if trust.agreement is not None:
        parts.append(f"seeds agree to {number(trust.agreement)}")
    return parts


def fitted_pixels(pixels: NDArray[np.uint8], side: int) -> Pixels:
    """A picture (H, W, C) as colours whose longer side is `side`: enlarged by whole pixels where it is tiny."""
    height, width, channels = pixels.shape
    colours = pixels[..., :3] if channels >= 3 else pixels[..., :1].repeat(3, axis=-1)
    factor = side / max(height, width)
    how = Image.Resampling.NEAREST if factor >= 4 else Image.Resampling.LANCZOS
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return np.asarray(Image.fromarray(np.ascontiguousarray(colours)).resize(size, how))
