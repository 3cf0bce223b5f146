"""The cells of an atlas: which activations lie in each, the direction that they have, and what they speak for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.index.activations import Sampled
from pellucid.net import Net


def celled(
    places: Float[np.ndarray, "n 2"], grid: int, least: int
) -> tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, "m 2"], list[NDArray[np.int64]]]:
    """(places in cells, (row, column) of the cells with at least `least` in them, which those are).

    The plane is cut at the first and the 99th percentile of each axis, with a tenth of that more on every side.
    """
    low, high = np.percentile(places, [1, 99], axis=0)
    span = np.maximum(high - low, 1e-12)
    at = ((places - low + 0.1 * span) / (1.2 * span)).clip(0, 1 - 1e-9) * grid
    numbers = at[:, 1].astype(np.int64) * grid + at[:, 0].astype(np.int64)
    kept = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    kept = [one for one in kept if len(one) >= least]
    cells = np.array([divmod(int(numbers[one[0]]), grid) for one in kept], np.int64).reshape(-1, 2)
    return at, cells, kept


def whitened(rows: Float[np.ndarray, "n channels"], means: Float[np.ndarray, "m channels"]) -> NDArray[np.float64]:
    """S⁻¹ m: what distinguishes a mean from what all activations have in common; S = E[h hᵀ].

    Shrunk towards a multiple of the identity by channels / (channels + activations): few do not tell S.
    """
    count, channels = rows.shape
    moments = rows.T @ rows / count
    share = channels / (channels + count)
    size = np.trace(moments) / channels or 1.0
    return np.asarray(np.linalg.solve((1 - share) * moments + share * size * np.eye(channels), means.T).T)


def strongest(net: Net, found: Sampled, which: NDArray[np.int64], most: int = 3) -> tuple[tuple[str, float], ...]:
    """The classes that these activations speak for most, by the mean attribution over all of them."""
    sums: dict[int, float] = {}
    for index, value in zip(
        found.classes[which].ravel().tolist(), found.attribution[which].ravel().tolist(), strict=True
    ):
        sums[index] = sums.get(index, 0.0) + value / len(which)
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:most]
    return tuple((net.class_name(index), value) for index, value in ordered)
