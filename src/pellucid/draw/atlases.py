"""Activation atlases: a picture in each cell, the larger the more activations lie there."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import MARGIN, footnotes, heading
from pellucid.draw.letters import shortened, width
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Atlas

_WIDE = 900.0
_WORDS = 14  # cells in a row, up to which their classes are written
_SMALLEST = 0.5  # of a cell


@drawing(Atlas)
def draw_atlas(
    result: Atlas, over: Any = None, *, title: str | None = None, dark: bool = False,
    names: Annotated[bool, Field(description="write the most supported class under each cell")] = True,
) -> Picture:  # fmt: skip
    """Every cell's picture in its place, and with `names` the class that it speaks for most."""
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("the atlas has no cell: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(_WIDE + 2 * MARGIN, look.theme.paper)
    layer = f"layer {result.meta.layer}" if result.meta.layer else ""
    y = heading(sheet, title, " · ".join(filter(None, [layer, unplaced(result.meta.net)])), look)
    low, high = result.cells.min(0), result.cells.max(0) + 1
    rows, columns = (int(one) for one in high - low)
    named = names and any(result.classes) and columns <= _WORDS
    size = min(9.0, 110.0 / columns)
    tag = size * 1.5 if named else 0.0
    cell = min(_WIDE / columns, 190.0)
    begin = MARGIN + (_WIDE - cell * columns) / 2
    shares = np.log1p(result.counts) / np.log1p(result.counts.max())
    for k, (row, column) in enumerate((result.cells - low).tolist()):
        side = (cell - 6) * (_SMALLEST + (1 - _SMALLEST) * float(shares[k]))
        middle, center = begin + (column + 0.5) * cell, y + row * (cell + tag) + cell / 2
        rect = sheet.photo(middle - side / 2, center - side / 2, fitted_pixels(result.pixels[k], sheet.pixels(side)))
        if named and result.classes[k]:
            said = shortened(result.classes[k][0][0], size, cell - 4)
            sheet.lines(middle - width(said, size) / 2, rect[3] + 1, [said], size, look.theme.quiet)
    how = (
        f"{int(result.counts.sum())} activations of the layer in {len(result)} cells; each picture is made for the "
        "mean of those in its cell, and is the larger the more they are."
    )
    if named:
        how += " Below: the class that they speak for most, by activation · gradient."
    notes = [how, *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + rows * (cell + tag) + 6, notes, look) + MARGIN
    top = sorted(range(len(result)), key=lambda k: -int(result.counts[k]))[:5]
    spoken = ", ".join(result.classes[k][0][0] for k in top if result.classes[k])
    alt = f"{title}: {len(result)} cells{f'; the fullest speak for {spoken}' if spoken else ''}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))
