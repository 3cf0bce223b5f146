"""Superpixels: an image cut into pieces of similar color."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.images import Images


def superpixels(one: Images, segments: str, pieces: int) -> NDArray[np.int64]:
    """The number of the superpixel of every pixel of one image, (H, W), counted from 0 without gaps."""
    from skimage import segmentation  # slow to import

    picture = one.pixels[0].detach().cpu().double().permute(1, 2, 0).numpy()
    rows, columns = picture.shape[:2]
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    color = picture.shape[2] == 3
    if segments == "grid":
        down = min(max(round((pieces * rows / columns) ** 0.5), 1), rows, pieces)
        across = min(max(round(pieces / down), 1), columns)
        cut = (np.arange(rows) * down // rows)[:, None] * across + np.arange(columns) * across // columns
    elif segments == "slic":
        cut = segmentation.slic(picture, n_segments=pieces, compactness=10, convert2lab=color, start_label=0)
    else:
        # LIME's own settings
        cut = segmentation.quickshift(picture, kernel_size=4, max_dist=200, ratio=0.2, convert2lab=color, rng=0)
    labels: NDArray[np.int64] = np.unique(cut, return_inverse=True)[1].reshape(rows, columns).astype(np.int64)
    return labels


def mean_colors(pixels: Tensor, labels: Tensor) -> Tensor:
    """Every superpixel in its own mean color, (1, C, H, W)."""
    values, flat = pixels[0].flatten(1).double(), labels.flatten()
    sums = values.new_zeros(len(values), int(flat.max()) + 1).index_add_(1, flat, values)
    return (sums / flat.bincount())[:, labels][None].to(pixels)
