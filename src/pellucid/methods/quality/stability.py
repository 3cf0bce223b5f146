"""Stability: whether a map stays what it is under changes that should not matter."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import robustness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Grid, Study
from pellucid.rng import Seed


@method(
    "Stability",
    purpose="rank methods by how steady their map is",
    shows=(
        "1 says that the map keeps the order of its values under a change that should not matter. That does not make "
        "it right: center, which knows no network, is always stable. Methods without random numbers have 1 for another "
        "seed by nature, so compare methods change by change; and a JPEG file or a crop does alter what the network "
        "sees. For each image and method up to six maps."
    ),
    source="Alvarez-Melis & Jaakkola 2018, section 4 (robustness); Kindermans et al. 2019, section 3 (input shift)",
    over="all",
    resumable=True,
)
def stability(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    quality: Annotated[int, Field(ge=1, le=100, description="quality of the JPEG file, 1 to 100 of its scale")] = 75,
    shift: Annotated[int, Field(ge=1, le=1000, description="distance that the image is moved by, in pixels")] = 4,
    crop: Annotated[
        float | int,
        Field(ge=0.1, lt=1, description="share of each side that a crop keeps, which is stretched to the whole"),
    ] = 0.875,
    seed: Seed = 0,
) -> Study:
    """The map is drawn again after five changes, and compared by the correlation of ranks, −1..1: higher is better.

    `changes` holds (methods, 5): the image through a JPEG file; moved down and right with mirrored borders, its map
    moved back and compared where both have pixels; its middle alone, compared there; another seed, for methods that
    draw random numbers; and an input shift, (p + 1) / 2 instead of every pixel p, which a first step of the network
    takes back, so that nothing that it computes is changed. `ranking` has one row for each method, by the mean of the
    five, with 95 % intervals and paired tests over the images. A map that knows no network may be stable, too: `center`
    is, always.
    """
    measure = measures.stability(quality, shift, crop, seed)
    judged, (table,), meta = measure.answered(net, images, of, seed)
    known = judged.known()
    each = dict(zip(known.names, known.values[:, known.common].mean(1), strict=True))
    names = tuple(str(name) for name in table["method"])
    rows = np.stack([each[name] for name in names])
    grid = Grid(rows, names, measures.CHANGES, "rank correlation", "method", "change")
    return Study(table.findings, grids={"changes": grid}, tables={"ranking": table}, meta=meta)
