"""Where in an image units are active: their maps read at every pixel, and the thresholds from which on they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.geometry import between
from pellucid.images import Images
from pellucid.index.exceeded import exceeded
from pellucid.index.index import Index
from pellucid.net import Net

_CLOSE = 1 - 1e-6
"""Of a threshold: what interpolation between two equal cells may lose."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Units of some layers, and from where on each counts as active: numbered through, layer by layer."""

    layers: tuple[str, ...]
    channels: tuple[int, ...]
    thresholds: NDArray[np.float64]

    @classmethod
    def by(cls, index: Index, layers: Sequence[str], share: float) -> Judged:
        """Thresholds that this share of a unit's activations over the index's images exceeds, every place counted.

        Units with an upper bound may be at it more often than that: then it is their threshold.
        """
        names = tuple(index[layer].name for layer in layers)
        counts = tuple(index[layer].channels for layer in names)
        ends = np.concatenate(exceeded(index, names, share))
        # a unit that is silent more often than that is active wherever it is not silent
        return cls(names, counts, np.where(ends == 0, np.finfo(np.float32).tiny, ends * np.where(ends > 0, _CLOSE, 1)))

    def name(self, unit: int) -> tuple[str, int]:
        """(layer, channel) of a unit."""
        for layer, count in zip(self.layers, self.channels, strict=True):
            if unit < count:
                return layer, unit
            unit -= count
        raise IndexError(unit)


def placed(net: Net, seen: Images, layer: str, cells: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Weights (height, rows) and (width, columns) that read a map at every pixel, its cells where they see."""
    height, width = seen.views[0].size
    placement = net.layer(layer, (height, width)).placement
    if placement is None:
        return torch.ones(height, 1), torch.ones(width, 1)
    rows, columns = placement.centers(*cells)
    down, across = (between(c, np.arange(float(n))) for c, n in ((rows, height), (columns, width)))
    return torch.from_numpy(down).float(), torch.from_numpy(across).float()


def above(maps: Tensor, ends: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
    """(units, height, width): where the maps (units, rows, columns), as large as the image, reach their ends."""
    return weights[0] @ (maps @ weights[1].T) >= ends[:, None, None]
