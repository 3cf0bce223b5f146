"""Masks that are smooth by construction, and images seen through them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.geometry import between
from pellucid.images.perturb import blurred

_LEVELS, _BLUR = 8, 20 / 224  # of the pyramid of blurs, and the last one's width in shares of the shorter side
_CELLS, _WIDTH = 32, 3.0  # of the mask along the shorter side, and the width of its bumps in cells: 7 and 21 pixels
_SHARP = 20.0  # of the soft maximum


class Lattice:
    """Parameters on a lattice, 0..1, and the smooth mask that they make: every one a bump, joined by a soft maximum."""

    def __init__(self, size: tuple[int, int], width: float | int) -> None:
        fine = min(_CELLS, *size) / min(size)
        self.shape = (max(round(size[0] * fine), 1), max(round(size[1] * fine), 1))
        self.count = self.shape[0] * self.shape[1]
        spread = _WIDTH * float(width) * min(_CELLS, *size) / _CELLS
        self.reach = int(np.ceil(2 * spread))
        away = torch.arange(-self.reach, self.reach + 1, dtype=torch.float64)
        distance = (away[:, None] ** 2 + away**2).sqrt() / spread
        self.bump = torch.exp(-2 * (distance - 0.5).clamp(min=0) ** 2).flatten()[:, None]
        self.spread = [
            torch.from_numpy(between((np.arange(n) + 0.5) * length / n - 0.5, np.arange(length, dtype=np.float64)))
            for n, length in zip(self.shape, size, strict=True)
        ]

    def smooth(self, parameters: Tensor) -> Float[Tensor, "rows columns"]:
        """max over v of bump(u − v) · parameter(v), softly."""
        for axis, n in enumerate(self.shape):
            # Mirrored, or parameters at the edges would reach fewer pixels and be the cheapest to keep.
            at = torch.arange(-self.reach, n + self.reach) % (2 * n)
            parameters = parameters.index_select(axis, torch.minimum(at, 2 * n - 1 - at))
        near = F.unfold(parameters[None, None], 2 * self.reach + 1)[0] * self.bump
        return (near * (_SHARP * near).softmax(0)).sum(0).view(self.shape)

    def pixels(self, coarse: Tensor) -> Float[Tensor, "height width"]:
        """Linear between the lattice's cells."""
        return self.spread[0] @ coarse @ self.spread[1].T


class Veil:
    """An image (1, C, H, W) behind a mask: mixed with what hides it, or the more blurred the less is kept."""

    def __init__(self, pixels: Tensor, hidden: Tensor, *, pyramid: bool) -> None:
        self.size = (pixels.shape[-2], pixels.shape[-1])
        sigma = _BLUR * min(self.size)
        levels = range(1, _LEVELS)
        self.levels = [pixels, *([blurred(pixels, sigma * k / (_LEVELS - 1)) for k in levels] if pyramid else [hidden])]

    def __call__(self, mask: Tensor) -> Tensor:
        """Linear between the two levels next to what the mask asks for."""
        depth = (1 - mask).to(self.levels[0]) * (len(self.levels) - 1)
        return torch.stack([(1 - (depth - k).abs()).clamp(min=0) * level for k, level in enumerate(self.levels)]).sum(0)
