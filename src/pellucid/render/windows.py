"""Windows: the parts of a picture that a network sees one after the other, where it cannot see all of it at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.render.pixels import Size
from pellucid.target import Target, scored

_JITTER = 32


@final
@dataclass(frozen=True)
class Windows:
    """The parts of a picture, enlarged to `size` if it is smaller, that the network sees one after the other."""

    net: Net
    target: Target
    size: Size
    window: Size

    def gradient(self, picture: Float[Tensor, "1 c h w"], chance: np.random.Generator) -> Float[Tensor, "1 c h w"]:
        """Of the target by every pixel. The picture is rolled first: by up to 32 pixels, or, where there are several
        windows, by up to one, so that their borders leave no trace."""
        small = (picture.shape[-2], picture.shape[-1])
        most = self.window if self.several else (_JITTER, _JITTER)
        roll = [int(chance.integers(-side, side + 1)) for side in most]
        shown = torch.roll(rescaled(picture, self.size), roll, (2, 3))
        found = torch.zeros_like(shown)
        for rows, columns in self._places():
            found[..., rows, columns] = self._gradient_at(shown[..., rows, columns])
        back = torch.roll(found, [-one for one in roll], (2, 3))
        return rescaled(back, small)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return self.size != self.window

    def _places(self) -> Iterator[tuple[slice, slice]]:
        for top in _starts(self.size[0], self.window[0]):
            for left in _starts(self.size[1], self.window[1]):
                yield slice(top, top + self.window[0]), slice(left, left + self.window[1])

    def _gradient_at(self, seen: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = seen.detach().requires_grad_()
            score = scored(self.target, self.net.run(
                leaf, layers=self.target.layers, grad=True, stop=not self.target.reads_output
            ))  # fmt: skip
            if not score.requires_grad:
                raise Refused(f"{self.target} does not depend on the pixels: there is nothing to dream of")
            gradient: Tensor = self.net.gradients(score.sum(), leaf)[0]
        return gradient


def _starts(whole: int, window: int) -> list[int]:
    """Where windows begin that cover everything with as little overlap as can be."""
    count = math.ceil(whole / window)
    return [round(i * (whole - window) / max(count - 1, 1)) for i in range(count)]


def rescaled(pixels: Float[Tensor, "n c h w"], size: Size) -> Float[Tensor, "n c rows columns"]:
    """Numbers of any range in another size, linear between pixels."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return F.interpolate(pixels, size, mode="bilinear", antialias=True)
