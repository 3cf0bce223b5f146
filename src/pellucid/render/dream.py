"""DeepDream: a photo moved uphill at several sizes, what was lost in shrinking it put back at each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork
from pellucid.images.perturb import blurred
from pellucid.net import Net, Run
from pellucid.progress import preview, steps
from pellucid.render.optimizers import Normalized
from pellucid.render.pixels import Size, eight_bits
from pellucid.render.sizes import takes
from pellucid.render.windows import Windows, rescaled
from pellucid.rng import generator
from pellucid.target import Target

RATIO = 1.4
"""Of the size of an octave to that of the one before (the original notebook)."""
_WINDOW = 512  # pixels: what is larger is seen part by part; a constant, for the picture must not depend on memory


@final
@dataclass(frozen=True, eq=False)
class Guided(Target):
    """Σ over places of ⟨activation, that feature of a guide with which it has the largest product⟩.

    `features` are the guide's, (channels, places), all of one layer.
    """

    layer: str
    features: Tensor
    unit = "guided product"

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        places = run[self.layer].flatten(2)
        products = torch.einsum("cg,ncp->ngp", self.features.to(places), places)
        return products.amax(1).mean(1)

    def __str__(self) -> str:
        return f"guided({self.layer})"


@final
@dataclass(frozen=True)
class Dream:
    """How a photo is dreamt on: what is raised, in how many octaves of how many steps, and how far a step goes."""

    net: Net
    target: Target
    octaves: int
    steps: int
    rate: float
    """The mean change of a pixel in one step, in 0..1."""
    bands: int
    seed: int

    def __call__(self, photo: Float[Tensor, "c h w"], name: str) -> Float[Tensor, "c h w"]:
        """The dreamt photo, as large as it was."""
        whole, optimizer = photo[None], Normalized(self.rate).begin()
        sizes = octaves((photo.shape[-2], photo.shape[-1]), self.octaves)
        base = x = whole
        detail: Tensor | None = None
        for i in steps(range(self.octaves * self.steps), f"deepdream: {name}"):
            octave, step = divmod(i, self.steps)
            if step == 0:
                base = rescaled(whole, sizes[octave])
                x = base if detail is None else (base + rescaled(detail, sizes[octave])).clamp(0, 1)
                windows = self.windows(sizes[octave])
            gradient = evened(windows.gradient(x, generator(self.seed, name, octave, step)), self.bands)
            if not torch.isfinite(gradient).all():
                raise BadNetwork(f"the gradient of {self.net.name} is not finite at step {i + 1}: its weights overflow")
            x = optimizer(x, gradient).clamp(0, 1)
            detail = x - base
            preview(lambda shown=x: eight_bits(shown)[0])  # type: ignore[misc]
        return x[0]

    def windows(self, size: Size) -> Windows:
        """All of a picture of that size at once where the network takes it, else part by part."""
        parts = [math.ceil(side / _WINDOW) for side in size]
        window = (math.ceil(size[0] / parts[0]), math.ceil(size[1] / parts[1]))
        own = self.net.preprocess.size
        if not takes(self.net, window) and own is not None:
            zoom = max(own[0] / size[0], own[1] / size[1], 1.0)
            size = (max(round(size[0] * zoom), own[0]), max(round(size[1] * zoom), own[1]))
            window = own
        return Windows(self.net, self.target, size, window)


def octaves(size: Size, count: int) -> list[Size]:
    """The sizes of a picture from the smallest octave to its own."""
    factors = [RATIO ** (i + 1 - count) for i in range(count)]
    return [(max(round(size[0] * f), 1), max(round(size[1] * f), 1)) for f in factors]


def evened(gradient: Float[Tensor, "n c h w"], bands: int) -> Float[Tensor, "n c h w"]:
    """The sum of so many bands of spatial frequency of a gradient, an octave wide each, at one strength each.

    The gradients of strided networks are full of the highest frequencies. One band is the gradient itself.
    """
    if bands == 1:
        return gradient
    parts, rest = [], gradient
    for i in range(bands - 1):
        low = blurred(rest, 2.0**i)
        parts.append(rest - low)
        rest = low
    return torch.stack([part / part.std().clamp(min=1e-12) for part in [*parts, rest]]).sum(0)
