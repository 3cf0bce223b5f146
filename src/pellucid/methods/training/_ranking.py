"""What is left of the accuracy where the images of most doubt are set aside."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.statistics import wilson_error


def kept(doubt: Floats, right: NDArray[np.bool_], shares: Floats) -> tuple[Float[np.ndarray, " k"], Floats]:
    """Accuracy of the shares of images of least doubt, with its error; of equal doubt the first come first."""
    order = np.argsort(doubt, kind="stable")
    count = np.maximum(np.round(shares * len(right)), 1)
    hits = np.cumsum(right[order])[count.astype(int) - 1].astype(float)
    return hits / count, wilson_error(hits, count)
