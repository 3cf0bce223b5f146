"""Place: where new images lie on the map of an index."""

from __future__ import annotations

import numpy as np

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import EmbeddedLayer, seen_by
from pellucid.index.folds.thumbnails import SIDE, framed
from pellucid.index.map import LayoutMethod, Perplexity, Thumbnails, layout_of, mapped
from pellucid.notes import Note
from pellucid.result import Embedding2D, Meta
from pellucid.rng import Seed

_HOW = {
    "tsne": "a new image goes where it fits t-SNE's objective best; all others are held",
    "umap": "a new image goes to the weighted mean of its nearest, an approximation: UMAP itself would move it on",
    "pca": "a linear map: new images are projected, exactly as the others were",
    "ica": "a linear map: new images are projected, exactly as the others were",
}


@method(
    "Place on the map",
    purpose="place new images on the map of an index",
    shows=(
        "Read which images of the map a new one lies among, and compare them with its nearest neighbors in the layer. "
        "Every image gets a place, also one that is like none of the others, so a place inside a cluster does not show "
        "that it belongs there. With t-SNE and UMAP its distances to far clusters mean nothing. One forward pass for "
        "each new image, besides the layout of the map itself."
    ),
    source="Poličar, Stražar & Zupan 2023, section 3 (t-SNE); van der Maaten 2008, section 3",
)
def place(
    index: Index,
    images: Images,
    *,
    layer: EmbeddedLayer = None,
    method: LayoutMethod = "tsne",
    perplexity: Perplexity = 30.0,
    thumbnails: Thumbnails = 5000,
    seed: Seed = 0,
) -> Embedding2D:
    """Where images lie on the map that `map` makes with the same options: (N, 2), and the map itself as `reference`.

    The map is not fitted anew: nothing on it moves, and no new image depends on another. With PCA and ICA new
    images are projected as the others were; with t-SNE each goes where it fits the objective best while all others
    are held; with UMAP to the mean of its nearest, weighted as t-SNE weights them, which is an approximation.
    """
    rows, layout = layout_of(index, layer, method, perplexity, seed)
    values = layout.place(seen_by(index, images, rows.layer))
    reference = mapped(index, layer, method, perplexity, thumbnails, seed)
    small = np.stack([framed(index.preprocess.prepare(one).shown(0, seen=True), SIDE) for one in images])
    count = len(images)
    nowhere = np.full(count, -1, np.int64)
    notes = (*images.notes, Note("reading", _HOW[method]), *reference.meta.notes)
    return Embedding2D(
        values, nowhere, images.ids, (None,) * count, small, np.arange(count), reference.quality, reference=reference,
        meta=Meta(found={"layer": rows.layer}, notes=notes),
    )  # fmt: skip
