"""Features of many images at several layers, small enough to be kept: maps as means over a coarse grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.images.labeled import Labeled
from pellucid.net import Net

PIXELS = "pixels"
"""The image itself among the layers, to compare with."""
WIDEST = 1024
"""Numbers that a map may have, before it is averaged, and its grid afterwards."""


@dataclass(frozen=True, eq=False)
class Features:
    """Of N images that could be read: `at` each layer (N, F) in float64, `labels` (N,), −1 where there are
    none, `numbers` (N,) in the data."""

    at: Mapping[str, Float[np.ndarray, "n f"]]
    labels: Int[np.ndarray, " n"]
    numbers: Int[np.ndarray, " n"]
    answers: Int[np.ndarray, " n"] | None = None
    """(N,) the class that the network answers, where that was asked."""

    def __len__(self) -> int:
        return len(self.numbers)


def features(net: Net, data: Labeled, layers: Sequence[str], answers: bool = False) -> Features:
    """One pass over the images. Vectors stay as they are; a map (C, H, W) of more than 1,024 numbers becomes its
    means over the finest grid of 8 × 8, 4 × 4, 2 × 2 or 1 cells that has no more.

    Raises PellucidError where a feature is no finite number.
    """
    asked = [name for name in layers if name != PIXELS]
    found: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    labels, numbers, given = list[np.ndarray](), list[int](), list[np.ndarray]()
    for batch in net.over(data, layers=asked):
        for name in layers:
            rows = pooled(batch.images.pixels if name == PIXELS else batch.run[name])
            if not np.isfinite(rows).all():
                raise PellucidError(f"{name} of {net.name} has features that are no finite numbers")
            found[name].append(rows)
        unknown = np.full(len(batch), -1)
        labels.append(unknown if batch.labels is None else batch.labels.cpu().numpy())
        numbers += batch.numbers
        if answers:
            given.append(batch.run.by_class.detach().argmax(1).cpu().numpy())
    if not numbers:
        raise PellucidError(f"no images in {data}")
    together = {name: np.concatenate(rows) for name, rows in found.items()}
    return Features(together, np.concatenate(labels), np.array(numbers), np.concatenate(given) if answers else None)


def pooled(at: Tensor) -> Float[np.ndarray, "n f"]:
    """(N, F), (N, C, H, W) or whatever a layer gives -> (N, F)."""
    at = at.detach().double()
    if at.dim() == 4 and at[0].numel() > WIDEST:
        rows, columns = at.shape[-2:]
        fits = [k for k in (8, 4, 2, 1) if k * k * at.shape[1] <= WIDEST and k <= min(rows, columns)]
        at = F.adaptive_avg_pool2d(at, fits[0] if fits else 1)
    return np.asarray(at.flatten(1).cpu().numpy())
