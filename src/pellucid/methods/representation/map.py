"""Map: all images in a plane, those near each other that the network takes for alike."""

from __future__ import annotations

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.embedding import EmbeddedLayer
from pellucid.index.map import LayoutMethod, Perplexity, Thumbnails, mapped
from pellucid.result import Embedding2D
from pellucid.rng import Seed


@method(
    "Map of images",
    purpose="lay out all images of an index in a plane",
    shows=(
        "Images that lie together are often near one another in the layer; recall says what share of the ten nearest "
        "are near on the map as well, and may be small. With t-SNE and UMAP, distances between far clusters, their "
        "sizes and the gaps between them mean nothing, and another seed gives another map. In the full grid, seams "
        "mark neighbors that are far apart in the layer. No network is run: the layout takes the features that the "
        "index keeps."
    ),
    source="van der Maaten & Hinton 2008, section 3; McInnes et al. 2018, section 3; Karpathy 2014, figure 1; "
    "Ultsch & Siemon 1990, section 3 (seams)",
    over="all",
)
def map(
    index: Index,
    *,
    layer: EmbeddedLayer = None,
    method: LayoutMethod = "tsne",
    perplexity: Perplexity = 30.0,
    thumbnails: Thumbnails = 5000,
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
