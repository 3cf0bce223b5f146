"""Neighbors: the images of a data set that a network takes for most like one."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import EmbeddedLayer, embedding_of, seen_by, thumbnail
from pellucid.index.search import Metric, nearest
from pellucid.result import Meta, Neighbors

_SIDE = 160


@method(
    "Neighbors",
    purpose="find the images of an index most like the given ones",
    source="Krizhevsky, Sutskever & Hinton 2012, section 6.1 and figure 4 (right)",
)
def neighbors(
    index: Index,
    images: Images,
    *,
    layer: EmbeddedLayer = None,
    count: Annotated[int, Field(ge=1, le=1000, description="number of neighbors of each image")] = 9,
    metric: Annotated[
        Metric, Field(description="measure of similarity: cosine of the angle, or Euclidean distance")
    ] = "cosine",
) -> Neighbors:
    """The images of the index most like each of the given ones, in what a layer makes of them: (N, count).

    Compared are the means over places of the layer, with every image of the index: nothing is approximated. Of
    equally similar ones the first in the data set comes first. An image of the index finds itself, at cosine 1 or
    distance 0. Each is shown as the network saw it.
    """
    rows = embedding_of(index, layer)
    values, which = nearest(seen_by(index, images, rows.layer), rows.values, count, metric, rows.squares)
    numbers = rows.images[which]
    small = {int(i): thumbnail(index, index.readable(int(i)), _SIDE) for i in np.unique(numbers)}
    return Neighbors(
        values, numbers, tuple(map(index.names, numbers)), tuple(map(index.class_names, numbers)),
        np.stack([thumbnail(index, one, _SIDE) for one in images]),
        np.stack([np.stack([small[int(i)] for i in row]) for row in numbers]),
        "cosine" if metric == "cosine" else "− distance",
        Meta(found={"layer": rows.layer}, notes=(*images.notes, *rows.notes)),
    )  # fmt: skip
