"""Making a map of an index, and keeping it at hand for those who place more on it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pellucid.methods.representation._grid import assigned, polished, seams_of, sides_for
from pellucid.methods.representation._layout import How, Layout, enough, laid_out
from pellucid.methods.representation._quality import quality
from pellucid.methods.representation._rows import Rows, named, rows_of, thumbnails
from pellucid.notes import Note
from pellucid.result import Meta, Places
from pellucid.result.places import Grid
from pellucid.sweep.index import Index


@lru_cache(maxsize=2)
def layout_of(index: Index, layer: str | None, how: How, perplexity: float, seed: int) -> tuple[Rows, Layout]:
    """The rows of an index in a plane; whoever asks twice about the same index object waits once."""
    rows = rows_of(index, layer)
    enough(len(rows))
    return rows, laid_out(rows.values, how, perplexity, seed)


def mapped(index: Index, layer: str | None, how: How, perplexity: float, pictures: int, seed: int) -> Places:
    """The map with all that belongs to it."""
    rows, layout = layout_of(index, layer, how, perplexity, seed)
    sides = sides_for(len(rows))
    cells = polished(layout.values, assigned(layout.values, sides), sides)
    grid = Grid(cells, seams_of(rows.values, cells, sides))
    small, pictured = thumbnails(index, rows.images, pictures, seed)
    names, labels = named(index, rows.images)
    notes = rows.notes + layout.notes
    if len(pictured) < len(rows):
        notes += (Note("choice", f"{len(pictured)} of {len(rows)} pictures are shown small, the others as points"),)
    return Places(
        np.asarray(layout.values), rows.images, names, labels, small, pictured,
        quality(rows.values, layout.values, seed), grid, meta=Meta(found={"layer": rows.layer}, notes=notes),
    )  # fmt: skip
