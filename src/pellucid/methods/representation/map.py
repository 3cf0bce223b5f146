"""Map: all images in a plane, those near each other that the network takes for alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.index import Index
from pellucid.index.map import mapped
from pellucid.layout.layout import How
from pellucid.result import Embedding2D
from pellucid.rng import Seed


@method(
    "Map of images",
    purpose="lay out all images of an index in a plane",
    source="van der Maaten & Hinton 2008, section 3; McInnes et al. 2018, section 3; Karpathy 2014, figure 1; "
    "Ultsch & Siemon 1990, section 3 (seams)",
    over="all",
)
def map(
    index: Index,
    *,
    layer: Annotated[
        str | None,
        Field(description="layer whose features are compared; the index must have embedded it"),
        Default("the last embedded layer"),
    ] = None,
    method: Annotated[
        How, Field(description="layout: t-SNE and UMAP keep neighbors together, PCA and ICA are linear")
    ] = "tsne",
    perplexity: Annotated[
        float, Field(ge=1, description="number of neighbors of each image that the layout respects (tsne, umap)")
    ] = 30.0,
    thumbnails: Annotated[
        int, Field(ge=0, description="maximum number of thumbnails; of more images a random sample has one")
    ] = 5000,
    seed: Seed = 0,
) -> Embedding2D:
    """All images of the index in a plane: (N, 2), and the same in a full grid, with how far the map can be trusted.

    From the means over places of a layer; t-SNE and UMAP see the first 50 principal components of them. More than
    200,000 images are not laid out together: a random sample is, and the others are placed at the weighted mean of
    their nearest. `quality` compares the map with Euclidean distances in the layer: `recall`, the share of the 10
    nearest that are among the 10 nearest on the map; `trust`, `continuity`; `rank`, Spearman's correlation of all
    distances. A seam is a border between neighbors in the grid that are far apart in the layer, which a full grid
    would else hide.
    """
    return mapped(index, layer, method, perplexity, thumbnails, seed)
