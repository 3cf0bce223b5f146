"""Making a map of an index, and keeping it at hand for those who place more on it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.index.embedding import Embedding, embedding_of
from pellucid.index.index import Index
from pellucid.index.thumbnails import thumbnails
from pellucid.layout.grid import assigned, polished, seams_of, sides_for
from pellucid.layout.layout import How, Layout, enough, laid_out
from pellucid.layout.quality import quality
from pellucid.notes import Note
from pellucid.result import Embedding2D, Meta
from pellucid.result.embedding import Grid

LayoutMethod = Annotated[
    How, Field(description="layout: t-SNE and UMAP keep neighbors together, PCA and ICA are linear")
]
Perplexity = Annotated[
    float, Field(ge=1, description="number of neighbors of each image that the layout respects (tsne, umap)")
]
Thumbnails = Annotated[
    int, Field(ge=0, description="maximum number of thumbnails; of more images a random sample has one")
]


def layout_of(index: Index, layer: str | None, how: How, perplexity: float, seed: int) -> tuple[Embedding, Layout]:
    """The rows of an index in a plane; whoever asks twice about the same index object waits once."""
    rows = embedding_of(index, layer)
    enough(len(rows))
    key = ("layout", rows.layer, how, perplexity, seed)
    return rows, index.remembered(key, lambda: laid_out(rows.values, how, perplexity, seed))


def mapped(index: Index, layer: str | None, how: How, perplexity: float, pictures: int, seed: int) -> Embedding2D:
    """The map with all that belongs to it."""
    rows, layout = layout_of(index, layer, how, perplexity, seed)
    sides = sides_for(len(rows))
    cells = polished(layout.values, assigned(layout.values, sides), sides)
    grid = Grid(cells, seams_of(rows.values, cells, sides))
    small, thumbnail_rows = thumbnails(index, rows.images, pictures, seed)
    names, labels = index.called(rows.images)
    notes = rows.notes + layout.notes
    if len(thumbnail_rows) < len(rows):
        notes += (Note("choice", f"{len(thumbnail_rows)} of {len(rows)} images are shown small, the others as points"),)
    return Embedding2D(
        np.asarray(layout.values), rows.images, names, labels, small, thumbnail_rows,
        quality(rows.values, layout.values, seed), grid, meta=Meta(found={"layer": rows.layer}, notes=notes),
    )  # fmt: skip
