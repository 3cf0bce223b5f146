"""Representation: where images lie in a layer's feature space."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pellucid.images import ImagesLike
from pellucid.index.index import IndexLike
from pellucid.result.atlas import Atlas
from pellucid.result.embedding import Embedding2D
from pellucid.result.neighbors import Neighbors
from typing import Literal

def atlas(
    index: IndexLike,
    *,
    layer: str | None = None,
    grid: int = 8,
    min_per_cell: int = 3,
    steps: int = 128,
    method: Literal["tsne", "umap"] = "tsne",
    seed: int = 0,
) -> Atlas:
    """Activation atlas

    The activations of a layer in a plane, cut into cells, and for each cell a picture of them: (N, H, W, C).

    One activation at a random inner place of each image of the index, laid out by direction; the mean of those in
    a cell, whitened, is the direction that its picture is made for. What a cell speaks for are the classes with the
    largest mean of activation · gradient of the logit, over each image's three best guesses. What a cell holds
    depends on the layout and its seed: neighbors mean something, distances and empty places do not.

    Source: Carter et al. 2019, sections 'Looking at a single layer' and 'Attribution', figure 3.

    Args:
        index: An index, or the folder that it lies in.
        layer: layer whose activations are shown (text; by default None)
        grid: number of cells in a row and in a column (2 to 80; by default 8)
        min_per_cell: minimum number of activations in a cell that is drawn (1 or more; by default 3)
        steps: number of optimization steps for the picture of each cell (1 or more; by default 128)
        method: layout of the activations (tsne | umap; by default "tsne")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def map(
    index: IndexLike,
    *,
    layer: str | None = None,
    method: Literal["tsne", "umap", "pca", "ica"] = "tsne",
    perplexity: float = 30.0,
    thumbnails: int = 5000,
    seed: int = 0,
) -> Embedding2D:
    """Map of images

    All images of the index in a plane: (N, 2), and the same in a full grid, with how far the map can be trusted.

    From the means over places of a layer; t-SNE and UMAP see the first 50 principal components of them. More than
    200,000 images are not laid out together: a random sample is, and the others are placed at the weighted mean of
    their nearest. `quality` compares the map with Euclidean distances in the layer: `recall`, the share of the 10
    nearest that are among the 10 nearest on the map; `trust`, `continuity`; `rank`, Spearman's correlation of all
    distances. A seam is a border between neighbors in the grid that are far apart in the layer, which a full grid
    would else hide.

    Source: van der Maaten & Hinton 2008, section 3; McInnes et al. 2018, section 3; Karpathy 2014, figure 1; Ultsch & Siemon 1990, section 3 (seams).

    Args:
        index: An index, or the folder that it lies in.
        layer: layer whose features are compared; the index must have embedded it (text; by default None)
        method: layout: t-SNE and UMAP keep neighbors together, PCA and ICA are linear (tsne | umap | pca | ica; by default "tsne")
        perplexity: number of neighbors of each image that the layout respects (tsne, umap) (1 or more; by default 30.0)
        thumbnails: maximum number of thumbnails; of more images a random sample has one (0 or more; by default 5000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def neighbors(
    index: IndexLike,
    images: ImagesLike,
    *,
    layer: str | None = None,
    count: int = 9,
    metric: Literal["cosine", "euclidean"] = "cosine",
) -> Neighbors:
    """Neighbors

    The images of the index most like each of the given ones, in what a layer makes of them: (N, count).

    Compared are the means over places of the layer, with every image of the index: nothing is approximated. Of
    equally similar ones the first in the data set comes first. An image of the index finds itself, at cosine 1 or
    distance 0. Each is shown as the network saw it.

    Source: Krizhevsky, Sutskever & Hinton 2012, section 6.1 and figure 4 (right).

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layer: layer whose features are compared; the index must have embedded it (text; by default None)
        count: number of neighbors of each image (1 to 1000; by default 9)
        metric: measure of similarity: cosine of the angle, or Euclidean distance (cosine | euclidean; by default "cosine")
    """

def place(
    index: IndexLike,
    images: ImagesLike,
    *,
    layer: str | None = None,
    method: Literal["tsne", "umap", "pca", "ica"] = "tsne",
    perplexity: float = 30.0,
    thumbnails: int = 5000,
    seed: int = 0,
) -> Embedding2D:
    """Place on the map

    Where images lie on the map that `map` makes with the same options: (N, 2), and the map itself as `reference`.

    The map is not fitted anew: nothing on it moves, and no new image depends on another. With PCA and ICA new
    images are projected as the others were; with t-SNE each goes where it fits the objective best while all others
    are held; with UMAP to the mean of its nearest, weighted as t-SNE weights them, which is an approximation.

    Source: Poličar, Stražar & Zupan 2023, section 3 (t-SNE); van der Maaten 2008, section 3.

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layer: layer whose features are compared; the index must have embedded it (text; by default None)
        method: layout: t-SNE and UMAP keep neighbors together, PCA and ICA are linear (tsne | umap | pca | ica; by default "tsne")
        perplexity: number of neighbors of each image that the layout respects (tsne, umap) (1 or more; by default 30.0)
        thumbnails: maximum number of thumbnails; of more images a random sample has one (0 or more; by default 5000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
