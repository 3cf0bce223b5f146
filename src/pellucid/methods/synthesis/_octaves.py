"""Dreaming: a photo moved uphill at several sizes, what was lost in shrinking it put back at each."""

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

from pellucid.chance import generator
from pellucid.errors import BadNetwork, Refused
from pellucid.images.touch import blurred
from pellucid.methods.synthesis._climb import Normalised
from pellucid.methods.synthesis._image import Size
from pellucid.methods.synthesis._match import stages
from pellucid.methods.synthesis._optimise import eight_bits, takes
from pellucid.net import Net, Run
from pellucid.progress import preview, steps
from pellucid.target import Target, scored

RATIO = 1.4
"""Of the size of an octave to that of the one before (the original notebook)."""
_JITTER = 32
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
        whole, climb = photo[None], Normalised(self.rate).begin()
        sizes = octaves((photo.shape[-2], photo.shape[-1]), self.octaves)
        base = x = whole
        detail: Tensor | None = None
        for i in steps(range(self.octaves * self.steps), f"deepdream: {name}"):
            octave, step = divmod(i, self.steps)
            if step == 0:
                base = _rescaled(whole, sizes[octave])
                x = base if detail is None else (base + _rescaled(detail, sizes[octave])).clamp(0, 1)
                windows = self.windows(sizes[octave])
            gradient = evened(windows.gradient(x, generator(self.seed, name, octave, step)), self.bands)
            if not torch.isfinite(gradient).all():
                raise BadNetwork(f"the gradient of {self.net.name} is not finite at step {i + 1}: its weights overflow")
            x = climb(x, gradient).clamp(0, 1)
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
        shown = torch.roll(_rescaled(picture, self.size), roll, (2, 3))
        found = torch.zeros_like(shown)
        for rows, columns in self._places():
            found[..., rows, columns] = self._slope(shown[..., rows, columns])
        back = torch.roll(found, [-one for one in roll], (2, 3))
        return _rescaled(back, small)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return self.size != self.window

    def _places(self) -> Iterator[tuple[slice, slice]]:
        for top in _starts(self.size[0], self.window[0]):
            for left in _starts(self.size[1], self.window[1]):
                yield slice(top, top + self.window[0]), slice(left, left + self.window[1])

    def _slope(self, seen: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = seen.detach().requires_grad_()
            score = scored(self.target, self.net.run(
                leaf, at=self.target.layers, grad=True, stop=not self.target.reads_output
            ))  # fmt: skip
            if not score.requires_grad:
                raise Refused(f"{self.target} does not depend on the pixels: there is nothing to dream of")
            gradient: Tensor = self.net.gradients(score.sum(), leaf)[0]
        return gradient


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


def middle(net: Net) -> str:
    """A layer half-way up: the last stage whose maps are twice as fine as the network's coarsest."""
    return list(stages(net).values())[-2:][0]


def _starts(whole: int, window: int) -> list[int]:
    """Where windows begin that cover everything with as little overlap as can be."""
    count = math.ceil(whole / window)
    return [round(i * (whole - window) / max(count - 1, 1)) for i in range(count)]


def _rescaled(pixels: Float[Tensor, "n c h w"], size: Size) -> Float[Tensor, "n c rows columns"]:
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return F.interpolate(pixels, size, mode="bilinear", antialias=True)
