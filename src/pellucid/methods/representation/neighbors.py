"""Neighbors: the images of a data set that a network takes for most like one."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import EmbeddedLayer, embedding_of, seen_by
from pellucid.index.folds.thumbnails import framed
from pellucid.index.search import Metric, nearest
from pellucid.result import Meta, Neighbors

_SIDE = 160


@method(
    "Neighbors",
    purpose="find the images of an index most like the given ones",
    shows=(
        "Each row has the images of the index that are most alike in the layer, with their classes. There are always "
        "nine, near or not, so read the similarities, too; in early layers many are close to 1. In the last layers "
        "neighbors mostly share the network's answer, also where it is wrong: they explain it and do not confirm it. "
        "One forward pass for each image asked about, and a comparison with all images of the index."
    ),
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
    unique, places = np.unique(numbers, return_inverse=True)
    called = [index.called(row) for row in numbers]
    return Neighbors(
        values, numbers, tuple(names for names, _ in called), tuple(classes for _, classes in called),
        np.stack([framed(index.preprocess.prepare(one).shown(0, seen=True), _SIDE) for one in images]),
        index.thumbnails(unique, _SIDE)[places.reshape(numbers.shape)],
        "cosine" if metric == "cosine" else "− distance",
        Meta(found={"layer": rows.layer}, notes=(*images.notes, *rows.notes)),
    )  # fmt: skip
