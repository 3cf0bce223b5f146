"""Transforms: what happens to a picture before the network sees it, drawn anew at each step for each picture.

Shifts, zooms and turns are composed into one affine map, so that a picture is resampled once and not four times.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Matrix = NDArray[np.float64]
"""3 × 3, about the centre, in pixels: from where the network looks to where that lies in the picture."""
GREY = 0.5
"""What lies around the picture."""


class Transform(ABC):
    """One random touch."""

    room = 0
    """How much larger (or smaller, below 0) than the picture the canvas is that the network sees, in pixels."""

    @abstractmethod
    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        """One affine map; `side` is the shorter side of the picture."""


@final
@dataclass(frozen=True)
class Pad(Transform):
    """A grey frame of so many pixels."""

    pixels: int

    @property
    def room(self) -> int:  # type: ignore[override]
        return 2 * self.pixels

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        return np.eye(3)


@final
@dataclass(frozen=True)
class Jitter(Transform):
    """A shift by up to half of `pixels` each way: a window of the canvas less `pixels`, anywhere in it."""

    pixels: int

    @property
    def room(self) -> int:  # type: ignore[override]
        return -self.pixels

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        down, across = chance.integers(0, self.pixels + 1, 2) - self.pixels / 2
        return shifted(float(down), float(across))


@final
@dataclass(frozen=True)
class Scale(Transform):
    """The picture enlarged `low` to `high` times."""

    low: float | int
    high: float | int

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        return zoomed(float(chance.uniform(self.low, self.high)))


@final
@dataclass(frozen=True)
class Rotate(Transform):
    """A turn by up to so many degrees either way."""

    degrees: float | int

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        return turned(float(chance.uniform(-self.degrees, self.degrees)))


def shifted(down: float, across: float) -> Matrix:
    """The network looks so many pixels further down and to the right."""
    return np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def zoomed(factor: float) -> Matrix:
    """The picture appears `factor` times as large."""
    return np.diag([1 / factor, 1 / factor, 1.0])


def turned(degrees: float) -> Matrix:
    """The picture appears turned."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def drawn(transforms: Sequence[Transform], chance: Sequence[np.random.Generator], side: int) -> list[Matrix]:
    """For each generator one composition of all transforms; the first touches the picture first."""
    found: list[Matrix] = []
    for one in chance:
        whole = np.eye(3)
        for transform in transforms:
            whole = whole @ transform.draw(one, side)
        found.append(whole)
    return found


def looked_at(
    pixels: Float[Tensor, "n c h w"], matrices: Sequence[Matrix], canvas: tuple[int, int], around: float | Any = GREY
) -> Float[Tensor, "n c rows columns"]:
    """What the network sees of each picture: (N, C, *canvas), bilinear, `around` where it looks past the edge."""
    size = pixels.shape[-2:]
    # pixels about the centre -> the -1..1 of grid_sample with align_corners=False
    theta = np.stack([one[:2] * [[2 / size[1]], [2 / size[0]]] @ _unit(canvas) for one in matrices])
    grid = F.affine_grid(torch.from_numpy(theta).to(pixels), [len(pixels), 1, *canvas], align_corners=False)
    return F.grid_sample(pixels - around, grid, align_corners=False, padding_mode="zeros") + around


def _unit(canvas: tuple[int, int]) -> Matrix:
    return np.diag([canvas[1] / 2, canvas[0] / 2, 1.0])
