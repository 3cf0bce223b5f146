"""Parametrisations: what is optimised, and the picture that it stands for. Frozen values, one class for each."""

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

from pellucid.errors import Refused

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
    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        """Where the optimisation starts, float64: one picture for each generator, (N, …).

        `mean` is the network's mean colour, one number for each channel or one for all.
        """

    @abstractmethod
    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        """The pictures that the numbers stand for, in 0..1; differentiable."""

    @abstractmethod
    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        """The numbers that stand for given pictures: where an optimisation starts that starts from a photo."""

    def valid(self, numbers: Tensor) -> Tensor:
        """The nearest numbers that stand for a picture; asked for before each step."""
        return numbers


@final
@dataclass(frozen=True)
class Pixels(Image):
    """The pixels themselves, kept within 0..1. They start as N(centre, noise²) in every channel.

    The centre is by default the network's mean colour.
    """

    noise: float | int = 0.04
    centre: float | int | None = None

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        centre = np.reshape(np.asarray(mean if self.centre is None else self.centre, dtype=np.float64), (-1, 1, 1))
        starts = [centre + self.noise * one.standard_normal((channels, *size)) for one in chance]
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
    """Spatial frequencies scaled to equal energy, colours decorrelated, through a sigmoid (Olah et al. 2017).

    Gradient ascent then moves all frequencies and colours at one speed: that is what keeps out the high
    frequencies which gradients of strided networks are full of. `decay` is the power of 1/f.
    """

    decay: float | int = 1
    noise: float | int = 0.01
    colours: bool = True

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        shape = (2, channels, *frequencies(size).shape)
        return torch.from_numpy(np.stack([self.noise * one.standard_normal(shape) for one in chance]))

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        scale = _scale(size, self.decay).to(numbers)
        # the inverse transform carries 1/(H·W) and the scale √(H·W): together the unitary one
        waves = torch.complex(numbers[:, 0] * scale, numbers[:, 1] * scale)
        return torch.sigmoid(recoloured(torch.fft.irfft2(waves, s=size) / _CALM, self.colours))

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        size = (pixels.shape[-2], pixels.shape[-1])
        logits = decoloured(torch.logit(pixels.clamp(0.004, 0.996)), self.colours)
        waves = torch.fft.rfft2(logits * _CALM) / _scale(size, self.decay).to(pixels)
        return torch.stack([waves.real, waves.imag], dim=1)


# MACO publishes the mean amplitude spectrum of ImageNet as a file of 3 × H × W; this is a model of such a spectrum
# with few numbers: the mean over rings of the 1000 photos of EliSchwartz/imagenet-sample-images, logits in
# decorrelated colours (brightness, blue–yellow, green–magenta), measured by benchmarks/spectrum.py.
RINGS = tuple(2.0 ** (-8 + 7.5 * i / 11) for i in range(12))
"""Frequencies in cycles per pixel, evenly spaced in their logarithm, from 1/256 to the corner, 1/√2."""
SPECTRUM = (
    (1, 0.516, 0.276, 0.158, 0.0896, 0.0485, 0.0264, 0.0146, 0.00827, 0.00462, 0.00222, 0.0011),
    (0.828, 0.426, 0.238, 0.136, 0.0777, 0.0421, 0.0227, 0.0124, 0.00712, 0.00402, 0.00237, 0.00159),
    (0.781, 0.422, 0.235, 0.14, 0.0812, 0.046, 0.0265, 0.0163, 0.00988, 0.00539, 0.00319, 0.00221),
)
"""The mean amplitude at these frequencies, one row for each decorrelated colour, relative to the largest."""
MEANS = (0.00794, 0.0114, 0.00899)
"""How far the mean of a photo is from grey in each of these colours, on the same scale; of the unitary transform the
first coefficient is √(H · W) times that."""


@final
@dataclass(frozen=True)
class Magnitude(Image):
    """Only phases are free; every frequency keeps the amplitude that it has in photos (MACO, Fel et al. 2023).

    X = m · (cos φ + i sin φ), φ standardised over the picture; its inverse transform is standardised, coloured,
    and goes through a sigmoid. Where a coefficient of a real picture is tied to another or to itself, in the first
    and the last column, phases are made antisymmetric: the amplitudes are m exactly, at every step. Only the mean
    colour, which has no phase, is free up to m.
    """

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        shape = (channels, *frequencies(size).shape)
        return torch.from_numpy(np.stack([one.uniform(-math.pi, math.pi, shape) for one in chance]))

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        waves = torch.fft.irfft2(self.waves(numbers, size), s=size, norm="ortho")
        return torch.sigmoid(recoloured(_standardised(waves)))

    def waves(self, numbers: Tensor, size: Size) -> Tensor:
        """The picture's transform, complex (N, C, H, W // 2 + 1), before it is standardised."""
        # Of standard deviation 1, as in the authors' code, cos φ would be 0.6 on average and all waves agree in the
        # corner, which glows; spread as evenly distributed phases are, none is preferred.
        phases = _standardised(numbers) * (math.pi / math.sqrt(3))
        down = torch.arange(size[0], device=numbers.device)
        mirrored = (phases - phases[:, :, (-down) % size[0]]) / math.sqrt(2)  # φ(-f) = -φ(f)
        tied = torch.zeros(numbers.shape[-1], dtype=torch.bool, device=numbers.device)
        tied[0] = True
        if size[1] % 2 == 0:
            tied[-1] = True
        mirrored[:, :, 0, 0] = phases[:, :, 0, 0]
        return torch.polar(amplitudes(size, numbers.shape[1]).to(numbers), torch.where(tied, mirrored, phases))

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        raise Refused("a magnitude-constrained picture cannot begin as a photo, whose amplitudes are its own")


@final
@dataclass(frozen=True)
class Aligned(Image):
    """Pictures of one batch that share what they have in common at low frequencies (Mordvintsev et al. 2018).

    To the numbers of each picture the mean over the batch is added, below `below` cycles per pixel: whatever one
    picture gains there the others gain as well.
    """

    image: Fourier | Magnitude
    below: float | int = 1 / 16

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        start = self.image.begin(chance, channels, size, mean)
        return start - self._common(start, size) / 2

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        return self.image.pixels(numbers + self._common(numbers, size), size)

    def numbers(self, pixels: Float[Tensor, "n c h w"]) -> Tensor:
        own = self.image.numbers(pixels)
        return own - self._common(own, (pixels.shape[-2], pixels.shape[-1])) / 2

    def _common(self, numbers: Tensor, size: Size) -> Tensor:
        low = (frequencies(size) < self.below).to(numbers)
        return numbers.mean(0, keepdim=True) * low


def _standardised(values: Tensor) -> Tensor:
    """Of mean 0 and standard deviation 1 over all numbers of each picture."""
    flat = values.flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    spread = flat.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    return (flat / spread).view(values.shape)


@cache
def amplitudes(size: Size, channels: int = 3) -> Float[Tensor, "c h half"]:
    """The mean amplitude of photos at every coefficient; of other numbers of channels, brightness in each.

    Between the rings and below them it is a power of the frequency.
    """
    rings, at = np.log(RINGS), frequencies(size).clamp(min=1 / (2 * max(size))).log().numpy()
    rows = []
    for row in SPECTRUM if channels == 3 else SPECTRUM[:1] * channels:
        known = np.log(row)
        slope = (known[1] - known[0]) / (rings[1] - rings[0])
        rows.append(np.where(at < rings[0], known[0] + slope * (at - rings[0]), np.interp(at, rings, known)))
    found: Tensor = torch.from_numpy(np.exp(np.stack(rows)))
    found[:, 0, 0] = torch.tensor(MEANS if channels == 3 else MEANS[:1] * channels) * math.sqrt(size[0] * size[1])
    return found


@cache
def _scale(size: Size, decay: float | int) -> Tensor:
    """What multiplies each coefficient, (H, W // 2 + 1)."""
    fall: Tensor = frequencies(size).clamp(min=1 / max(size)) ** decay
    scale: Tensor = math.sqrt(size[0] * size[1]) / fall
    return scale


def frequencies(size: Size) -> Tensor:
    """The frequency in cycles per pixel of every coefficient of a real picture's transform, (H, W // 2 + 1)."""
    down = torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(size[1], dtype=torch.float64)[None, :]
    found: Tensor = (down.square() + across.square()).sqrt()
    return found


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
