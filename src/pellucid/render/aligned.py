"""Pictures of one batch that share what they have in common: a parametrization upon another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pellucid.render.magnitude import Magnitude
from pellucid.render.parametrizations import Fourier, Image
from pellucid.render.pixels import Size
from pellucid.render.spectrum import frequencies


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
