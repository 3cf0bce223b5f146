"""Affine maps of the plane: shifts, zooms and turns, and a picture seen through one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Matrix = NDArray[np.float64]
"""3 × 3, about the center, in pixels: from where the network looks to where that lies in the picture."""
GRAY = 0.5
"""What lies around the picture."""


def shifted(down: float | int, across: float | int) -> Matrix:
    """The network looks so many pixels further down and to the right."""
    return np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def zoomed(factor: float | int) -> Matrix:
    """The picture appears `factor` times as large."""
    return np.diag([1 / factor, 1 / factor, 1.0])


def turned(degrees: float | int) -> Matrix:
    """The picture appears turned."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def looked_at(
    pixels: Float[Tensor, "n c h w"],
    matrices: Sequence[Matrix],
    canvas: tuple[int, int],
    around: float | Any = GRAY,
    *,
    mode: str = "bilinear",
) -> Float[Tensor, "n c rows columns"]:
    """What the network sees of each picture: (N, C, *canvas), resampled, `around` where it looks past the edge."""
    size = pixels.shape[-2:]
    # pixels about the center -> the -1..1 of grid_sample with align_corners=False
    theta = np.stack([one[:2] * [[2 / size[1]], [2 / size[0]]] @ _unit(canvas) for one in matrices])
    grid = F.affine_grid(torch.from_numpy(theta).to(pixels), [len(pixels), 1, *canvas], align_corners=False)
    return F.grid_sample(pixels - around, grid, mode=mode, align_corners=False, padding_mode="zeros") + around


def _unit(canvas: tuple[int, int]) -> Matrix:
    return np.diag([canvas[1] / 2, canvas[0] / 2, 1.0])
