"""Parametrisations: what is optimised, and the picture that it stands for. Frozen values, one class for each."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Size = tuple[int, int]
"""(height, width) of a picture."""

# How the colours of natural pictures vary together: the square root of their covariance (Olah et al. 2017, the
# constants of the lucid library), scaled so that the largest column, brightness, has length 1.
_COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
_COLOURS = _COLOURS / _COLOURS.norm(dim=0).max()
_CALM = 4.0  # keeps the sigmoid out of saturation at the start (lucid)


class Image(ABC):
    """A way to write a picture (C, H, W) in 0..1 as numbers that an optimiser can move."""

    @abstractmethod
    def begin(self, chance: Sequence[np.random.Generator], channels: int, size: Size) -> Tensor:
        """Where the optimisation starts, float64: one picture for each generator, (N, …)."""

    @abstractmethod
    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        """The pictures that the numbers stand for, in 0..1; differentiable."""

    @abstractmethod
    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        """The numbers that stand for given pictures: where an optimisation starts that starts from a photo."""


@final
@dataclass(frozen=True)
class Pixels(Image):
    """The pixels themselves, kept within 0..1. They start as N(centre, noise²) in every channel."""

    noise: float | int = 0.04
    centre: float | int = 0.5

    def begin(self, chance: Sequence[np.random.Generator], channels: int, size: Size) -> Tensor:
        starts = [self.centre + self.noise * one.standard_normal((channels, *size)) for one in chance]
        return torch.from_numpy(np.stack(starts)).clamp(0, 1)

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        return numbers.clamp(0, 1)

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        return pixels


@final
@dataclass(frozen=True)
class Fourier(Image):
    """Spatial frequencies scaled to equal energy, colours decorrelated, through a sigmoid (Olah et al. 2017).

    Gradient ascent then moves all frequencies and colours at one speed: that is what keeps out the high
    frequencies which gradients of strided networks are full of. `decay` is the power of 1/f.
    """

    decay: float | int = 1
    noise: float | int = 0.01
    colours: bool = True

    def begin(self, chance: Sequence[np.random.Generator], channels: int, size: Size) -> Tensor:
        shape = (2, channels, *frequencies(size).shape)
        return torch.from_numpy(np.stack([self.noise * one.standard_normal(shape) for one in chance]))

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        scale = self._scale(size).to(numbers)
        # the inverse transform carries 1/(H·W) and the scale √(H·W): together the unitary one
        waves = torch.complex(numbers[:, 0] * scale, numbers[:, 1] * scale)
        return torch.sigmoid(recoloured(torch.fft.irfft2(waves, s=size) / _CALM, self.colours))

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        size = (pixels.shape[-2], pixels.shape[-1])
        logits = decoloured(torch.logit(pixels.clamp(0.004, 0.996)), self.colours)
        waves = torch.fft.rfft2(logits * _CALM) / self._scale(size).to(pixels)
        return torch.stack([waves.real, waves.imag], dim=1)

    def _scale(self, size: Size) -> Tensor:
        fall: Tensor = frequencies(size).clamp(min=1 / max(size)) ** self.decay
        scale: Tensor = math.sqrt(size[0] * size[1]) / fall
        return scale


def frequencies(size: Size) -> Tensor:
    """The frequency in cycles per pixel of every coefficient of a real picture's transform, (H, W // 2 + 1)."""
    down = torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(size[1], dtype=torch.float64)[None, :]
    return (down.square() + across.square()).sqrt()


def recoloured(values: Float[Tensor, "n c h w"], colours: bool = True) -> Float[Tensor, "n c h w"]:
    """Decorrelated colours into red, green, blue; other numbers of channels are left alone."""
    if not colours or values.shape[1] != 3:
        return values
    return torch.einsum("rc,nchw->nrhw", _COLOURS.to(values), values)


def decoloured(values: Float[Tensor, "n c h w"], colours: bool = True) -> Float[Tensor, "n c h w"]:
    """The inverse of `recoloured`."""
    if not colours or values.shape[1] != 3:
        return values
    return torch.einsum("cr,nrhw->nchw", torch.linalg.inv(_COLOURS).to(values), values)
