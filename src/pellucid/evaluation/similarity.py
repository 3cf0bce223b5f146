"""How alike two maps of one image are, in three ways."""

from __future__ import annotations

import numpy as np

from pellucid.evaluation.orders import between_0_and_1
from pellucid.geometry import Floats
from pellucid.statistics import rank_correlation

SIMILARITIES = ("rank correlation", "structural similarity", "top overlap")
TOP = 0.1
"""Share of the pixels whose overlap is counted."""


def similarity(a: Floats, b: Floats) -> Floats:
    """(3,) of maps (H, W): rank correlation of their values, −1..1; structural similarity (Wang et al. 2004), each map
    scaled to 0..1, windows of 7 pixels; and the share that the highest tenth of both have in common. NaN and infinity
    count as 0.
    """
    first, second = (np.nan_to_num(one.astype(np.float64), posinf=0.0, neginf=0.0) for one in (a, b))
    return np.array([rank_correlation(first.ravel(), second.ravel()), _structure(first, second), _top(first, second)])


def _structure(a: Floats, b: Floats) -> float:
    from skimage.metrics import structural_similarity  # slow to import

    window = min(7, *(side - (side + 1) % 2 for side in a.shape))
    if window < 3:
        return 0.0
    scaled = between_0_and_1(a), between_0_and_1(b)
    return float(structural_similarity(*scaled, win_size=window, data_range=1.0))


def _top(a: Floats, b: Floats) -> float:
    """Equal values at the edge of the tenth count in part, so that a flat map has the overlap of chance."""
    first, second = (_share(one.ravel()) for one in (a, b))
    return float((first * second).sum() / (TOP * first.size))


def _share(values: Floats) -> Floats:
    """Which part of each value is among the highest tenth: 1, 0, or where many are equal what is left for them."""
    count = TOP * values.size
    edge = np.partition(values, -max(round(count), 1))[-max(round(count), 1)]
    above, equal = values > edge, values == edge
    return np.where(above, 1.0, np.where(equal, (count - above.sum()) / equal.sum(), 0.0)).clip(0, 1)
