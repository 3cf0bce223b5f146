"""Activation atlas: what a layer can see, in one picture."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.index.activations import sampled
from pellucid.layout.layout import enough, laid_out
from pellucid.methods import synthesis
from pellucid.methods.representation._cells import celled, strongest, whitened
from pellucid.notes import Note
from pellucid.result import Atlas, Meta
from pellucid.rng import Seed
from pellucid.target import Direction

_MOST = 100_000  # images: the authors found that no more are needed
_SIDE = 80
_COSINE = 2


@method(
    "Activation atlas",
    purpose="grid of a layer's activations, with a picture for each cell",
    shows=(
        "Each cell has a picture made for the mean of its activations, and the classes that they speak for most. The "
        "picture is none of the images, and the mean of two kinds may look like neither. Neighboring cells are alike "
        "in the layer; distances, empty places and borders of cells depend on the layout and its seed. One forward and "
        "three backward passes over up to 100,000 images, then 128 optimization steps for each of up to 64 cells."
    ),
    source="Carter et al. 2019, sections 'Looking at a single layer' and 'Attribution', figure 3",
    over="all",
)
def atlas(
    index: Index,
    *,
    layer: Annotated[
        str | None, Field(description="layer whose activations are shown"), Default("the last embedded layer")
    ] = None,
    grid: Annotated[int, Field(ge=2, le=80, description="number of cells in a row and in a column")] = 8,
    min_per_cell: Annotated[int, Field(ge=1, description="minimum number of activations in a cell that is drawn")] = 3,
    steps: Annotated[
        int, Field(ge=1, description="number of optimization steps for the picture of each cell", examples=[64])
    ] = 128,
    method: Annotated[Literal["tsne", "umap"], Field(description="layout of the activations")] = "tsne",
    seed: Seed = 0,
) -> Atlas:
    """The activations of a layer in a plane, cut into cells, and for each cell a picture of them: (N, H, W, C).

    One activation at a random inner place of each image of the index, laid out by direction; the mean of those in
    a cell, whitened, is the direction that its picture is made for. What a cell speaks for are the classes with the
    largest mean of activation · gradient of the logit, over each image's three best guesses. What a cell holds
    depends on the layout and its seed: neighbors mean something, distances and empty places do not.
    """
    embedded = index.embedded  # refuses an index without any
    name = layer or embedded[-1]
    found = sampled(index, name, _MOST, seed)
    enough(len(found.rows))
    lengths = np.linalg.norm(found.rows, axis=1, keepdims=True)
    layout = laid_out(found.rows / np.where(lengths > 0, lengths, 1), method, 30, seed)
    at, cells, members = celled(layout.values, grid, min_per_cell)
    if not members:
        raise PellucidError(
            f"no cell of {grid} × {grid} holds min_per_cell={min_per_cell} activations: try grid={max(grid // 2, 2)}"
        )
    means = np.stack([found.rows[one].mean(0) for one in members])
    towards = [Direction(name, tuple(one.tolist()), _COSINE) for one in whitened(found.rows, means)]
    made = synthesis.activation_maximization(index.net, towards, steps=steps, size=_SIDE, seed=seed)
    classes = tuple(strongest(index.net, found, one) for one in members)
    dropped = len(found.rows) - sum(map(len, members))
    notes = layout.notes
    if dropped:
        few = (
            f"{dropped} of {len(found.rows)} activations lie in cells of fewer than {min_per_cell}, which are not drawn"
        )
        notes += (Note("choice", few),)
    return Atlas(
        np.asarray(made.pixels), cells, np.array([len(one) for one in members]), classes, (grid, grid), at,
        Meta(found={"layer": name}, notes=notes),
    )  # fmt: skip
