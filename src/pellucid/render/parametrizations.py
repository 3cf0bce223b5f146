"""Parametrizations: what is optimized, and the picture that it stands for. Frozen values.

Pixels and Fourier coefficients are here, and the base of all; `magnitude` and `aligned` build upon them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.render.pixels import Size
from pellucid.render.spectrum import decolored, frequencies, recolored

_CALM = 4.0  # keeps the sigmoid out of saturation at the start (lucid)


class Image(ABC):
    """A way to write a picture (C, H, W) in 0..1 as numbers that an optimizer can move."""

    @abstractmethod
    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        """Where the optimization starts, float64: one picture for each generator, (N, …).

        `mean` is the network's mean color, one number for each channel or one for all.
        """

    @abstractmethod
    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        """The pictures that the numbers stand for, in 0..1; differentiable."""

    @abstractmethod
    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        """The numbers that stand for given pictures: where an optimization starts that starts from a photo."""

    def valid(self, numbers: Tensor) -> Tensor:
        """The nearest numbers that stand for a picture; asked for before each step."""
        return numbers


@final
@dataclass(frozen=True)
class Pixels(Image):
    """The pixels themselves, kept within 0..1. They start as N(center, noise²) in every channel.

    The center is by default the network's mean color.
    """

    noise: float | int = 0.04
    center: float | int | None = None

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        center = np.reshape(np.asarray(mean if self.center is None else self.center, dtype=np.float64), (-1, 1, 1))
        starts = [center + self.noise * one.standard_normal((channels, *size)) for one in chance]
        return self.valid(torch.from_numpy(np.stack(starts)))

    def valid(self, numbers: Tensor) -> Tensor:
        return numbers.clamp(0, 1)

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        # the clamp itself has no slope at its ends, and a pixel that is there must feel what would bring it back
        return numbers + (numbers.clamp(0, 1) - numbers).detach()

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        return pixels


@final
@dataclass(frozen=True)
class Fourier(Image):
    """Spatial frequencies scaled to equal energy, colors decorrelated, through a sigmoid (Olah et al. 2017).

    Gradient ascent then moves all frequencies and colors at one speed: that is what keeps out the high
    frequencies which gradients of strided networks are full of. `decay` is the power of 1/f.
    """

    decay: float | int = 1
    noise: float | int = 0.01
    colors: bool = True

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        shape = (2, channels, *frequencies(size).shape)
        return torch.from_numpy(np.stack([self.noise * one.standard_normal(shape) for one in chance]))

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        scale = _scale(size, self.decay).to(numbers)
        # the inverse transform carries 1/(H·W) and the scale √(H·W): together the unitary one
        waves = torch.complex(numbers[:, 0] * scale, numbers[:, 1] * scale)
        return torch.sigmoid(recolored(torch.fft.irfft2(waves, s=size) / _CALM, self.colors))

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        size = (pixels.shape[-2], pixels.shape[-1])
        logits = decolored(torch.logit(pixels.clamp(0.004, 0.996)), self.colors)
        waves = torch.fft.rfft2(logits * _CALM) / _scale(size, self.decay).to(pixels)
        return torch.stack([waves.real, waves.imag], dim=1)


@cache
def _scale(size: Size, decay: float | int) -> Tensor:
    """What multiplies each coefficient, (H, W // 2 + 1)."""
    fall: Tensor = frequencies(size).clamp(min=1 / max(size)) ** decay
    scale: Tensor = math.sqrt(size[0] * size[1]) / fall
    return scale
