"""The magnitude-constrained parametrization: phases alone are free, amplitudes are those of photos (MACO)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.render.parametrizations import Image
from pellucid.render.pixels import Size
from pellucid.render.spectrum import amplitudes, frequencies, recolored


@final
@dataclass(frozen=True)
class Magnitude(Image):
    """Only phases are free; every frequency keeps the amplitude that it has in photos (MACO, Fel et al. 2023).

    X = m · (cos φ + i sin φ), φ standardized over the picture; its inverse transform is standardized, colored,
    and goes through a sigmoid. Where a coefficient of a real picture is tied to another or to itself, in the first
    and the last column, phases are made antisymmetric: the amplitudes are m exactly, at every step. Only the mean
    color, which has no phase, is free up to m.
    """

    def begin(
        self, chance: Sequence[np.random.Generator], channels: int, size: Size, mean: Sequence[float] = (0.5,)
    ) -> Tensor:
        shape = (channels, *frequencies(size).shape)
        return torch.from_numpy(np.stack([one.uniform(-math.pi, math.pi, shape) for one in chance]))

    def pixels(self, numbers: Tensor, size: Size) -> Float[Tensor, "n c h w"]:
        waves = torch.fft.irfft2(self.waves(numbers, size), s=size, norm="ortho")
        return torch.sigmoid(recolored(_standardized(waves)))

    def waves(self, numbers: Tensor, size: Size) -> Tensor:
        """The picture's transform, complex (N, C, H, W // 2 + 1), before it is standardized."""
        # Of standard deviation 1, as in the authors' code, cos φ would be 0.6 on average and all waves agree in the
        # corner, which glows; spread as evenly distributed phases are, none is preferred.
        phases = _standardized(numbers) * (math.pi / math.sqrt(3))
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


def _standardized(values: Tensor) -> Tensor:
    """Of mean 0 and standard deviation 1 over all numbers of each picture."""
    flat = values.flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    spread = flat.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    return (flat / spread).view(values.shape)
