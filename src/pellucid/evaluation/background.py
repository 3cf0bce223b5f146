"""Where the background of an image is, when nobody drew a mask: what hangs together with the image's borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from pellucid.evaluation.things import Mask

_PARTS = 200
_COLOR = 10.0
"""How far apart in Lab two parts of one thing are (Zhu et al. 2014, equation 2)."""
_HALF = 1.0
"""σ of equation 6: with it a part whose connectivity is 1.18 is as likely background as not."""


def background(pixels: NDArray[np.float64]) -> Mask:
    """(H, W) whether a pixel is background by its connectivity to the borders; pixels (H, W, 3) in 0..1.

    Zhu et al. 2014 (Saliency Optimization from Robust Background Detection), section 3: superpixels are joined with
    their neighbors by the distance of their colors; the connectivity of one is the length of border that it reaches
    over small distances, over the square root of the area that it reaches. A thing that is cut by the border, or of
    the colors of what is around it, is taken for background.
    """
    from skimage.color import rgb2lab
    from skimage.segmentation import slic

    parts = slic(pixels, n_segments=_PARTS, compactness=20, start_label=0)
    count = int(parts.max()) + 1
    lab, sizes = rgb2lab(pixels).reshape(-1, 3), np.bincount(parts.ravel(), minlength=count)
    color = (
        np.stack([np.bincount(parts.ravel(), lab[:, k], count) for k in range(3)], 1) / np.maximum(sizes, 1)[:, None]
    )
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    pairs = np.concatenate([
        np.stack([parts[:-1].ravel(), parts[1:].ravel()], 1),
        np.stack([parts[:, :-1].ravel(), parts[:, 1:].ravel()], 1),
        np.stack(np.meshgrid(edge, edge), -1).reshape(-1, 2),  # the paper joins all parts at the border
    ])  # fmt: skip
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1), axis=0)
    steps = np.linalg.norm(color[pairs[:, 0]] - color[pairs[:, 1]], axis=1) + 1e-9  # a zero would be no edge
    far = shortest_path(coo_array((steps, pairs.T), (count, count)).tocsr(), directed=False)
    near = np.exp(-(far**2) / (2 * _COLOR**2))
    connectivity = near[:, edge].sum(1) / np.sqrt(near.sum(1))
    likely = 1 - np.exp(-(connectivity**2) / (2 * _HALF**2))
    return np.asarray(likely[parts] > 0.5)
