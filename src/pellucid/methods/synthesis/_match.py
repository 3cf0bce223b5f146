"""Matching: one picture is moved until what a network sees in it is what was asked for. Also which layers to ask.

Beside the loop of `_optimise`, which climbs with many pictures at once: here a loss has its minimum at a known answer,
and there L-BFGS is many times faster than any first-order method, but it takes one picture at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.chance import generator
from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.images import Images
from pellucid.methods.synthesis._climb import Adam, Climb, Step
from pellucid.methods.synthesis._image import Fourier, Image, Size
from pellucid.methods.synthesis._optimise import eight_bits, precision, takes
from pellucid.net import Layer, Net
from pellucid.notes import Note
from pellucid.progress import preview, steps

Loss = Callable[[Float[Tensor, "1 c h w"]], Tensor]
"""loss(picture in 0..1) -> one number to be made small; differentiable."""
Optimiser = Literal["l-bfgs", "adam"]
RATE = 0.05
"""Of Adam."""
_HISTORY = 20  # pairs that L-BFGS remembers
_LEAST = 64  # pixels a side: in smaller pictures there is little to be seen
_BOOST = 1024.0  # keeps gradients of networks in half precision above the smallest number they have


@final
@dataclass(frozen=True)
class Momentum(Climb):
    """Mahendran & Vedaldi 2015, section 3: momentum 0.9, forgotten when the rate falls to a tenth, and to a hundredth.

    The rate falls after a quarter and after three quarters of the `steps`, as in their 100 + 200 + 100.
    """

    rate: float
    steps: int

    def begin(self) -> Step:
        speed: list[Tensor] = []
        done = 0

        def step(numbers: Tensor, gradient: Tensor) -> Tensor:
            nonlocal done
            phase = (4 * done >= self.steps) + (4 * done >= 3 * self.steps)
            before = (4 * (done - 1) >= self.steps) + (4 * (done - 1) >= 3 * self.steps)
            if not speed or phase != before:
                speed[:] = [torch.zeros_like(numbers)]
            speed[0] = 0.9 * speed[0] + self.rate * 0.1**phase * gradient
            done += 1
            return numbers + speed[0]

        return step


@dataclass(frozen=True)
class Match:
    """One picture to be found: where it is written as numbers, its size, and what is to be made small."""

    net: Net
    loss: Loss
    image: Image
    size: Size
    what: str
    """For whoever watches."""

    def found(self, numbers: Tensor, evaluations: int, climb: Climb | Optimiser = "l-bfgs") -> Float[Tensor, "1 c h w"]:
        """The picture after so many evaluations of the loss, from `numbers` on."""
        if climb == "l-bfgs":
            ended = self._quasi_newton(numbers, evaluations)
        else:
            step = (climb if isinstance(climb, Climb) else Adam(RATE)).begin()
            ended = numbers
            for done in steps(range(evaluations), self.what):
                ended = self.image.valid(step(ended, -self._slope(ended, done)[1]))
        return self.image.pixels(ended, self.size).detach()

    def _quasi_newton(self, numbers: Tensor, evaluations: int) -> Tensor:
        leaf = numbers.clone()
        # the line search evaluates as often as it needs to; whoever watches sees no more than was promised
        ticks, done = iter(steps(range(evaluations), self.what)), 0
        climb = torch.optim.LBFGS(
            [leaf], max_iter=evaluations, max_eval=evaluations, history_size=_HISTORY, line_search_fn="strong_wolfe",
            tolerance_grad=0, tolerance_change=0,
        )  # fmt: skip

        def evaluated() -> float:
            nonlocal done
            next(ticks, None)
            loss, leaf.grad = self._slope(leaf, done)
            done += 1
            return loss

        climb.step(evaluated)
        return leaf

    def _slope(self, numbers: Tensor, done: int) -> tuple[float, Tensor]:
        """The loss, and its gradient."""
        leaf = numbers.detach().requires_grad_()
        with torch.enable_grad():
            pixels = self.image.pixels(leaf, self.size)
            loss = self.loss(pixels)
            if not loss.requires_grad:
                raise Refused(f"{self.what}: what is asked for does not depend on the picture")
            (gradient,) = self.net.gradients(_BOOST * loss, leaf)
        if not torch.isfinite(gradient).all():
            raise BadNetwork(f"{self.what}: the gradient of {self.net.name} is not finite at step {done + 1}")
        preview(lambda: eight_bits(pixels)[0])
        return float(loss.detach()), gradient / _BOOST


def features(net: Net, pixels: Float[Tensor, "1 c h w"], layers: Sequence[str], *, grad: bool = False) -> list[Tensor]:
    """The layers' outputs, where the pixels are and in their precision; no layer behind them runs."""
    run = net.run(pixels, at=layers, grad=grad, stop=True)
    found = [run[layer].to(pixels) for layer in layers]
    for layer, values in zip(layers, found, strict=True):
        if not grad and not torch.isfinite(values).all():
            raise BadNetwork(f"layer {layer!r} of {net.name} gives NaN or infinity")
    return found


def relative(values: Tensor, wanted: Tensor) -> Tensor:
    """‖values − wanted‖² / ‖wanted‖²; as a quotient of means, which half precision can hold."""
    return (values - wanted).square().mean() / wanted.square().mean()


def stages(net: Net, size: Size | None = None) -> dict[int, str]:
    """For each octave of resolution the last stage that has it: {1: 'act1', 2: 'blocks.1', …}, from fine to coarse.

    Stages are the layers with the shortest names.
    """
    table = net.layers(size)
    levels: dict[int, list[str]] = {}
    for row in table.rows:
        if row.spatial:
            levels.setdefault(round(math.log2(table.size[0] / row.shape[1])), []).append(row.name)
    if not levels:
        raise PellucidError(f"{net.name} has no layer with maps: name the layers")
    least = {level: min(name.count(".") for name in names) for level, names in levels.items()}
    return {k: next(n for n in reversed(levels[k]) if n.count(".") == least[k]) for k in sorted(levels)}


def known(net: Net, layers: Sequence[str], size: Size, *, maps: bool = False) -> tuple[Layer, ...]:
    """The rows of the layers asked for, each once. Raises UnknownName; PellucidError for none; Refused for no maps."""
    table = net.layers(size)
    rows = tuple({table[layer].name: table[layer] for layer in layers}.values())
    if not rows:
        raise PellucidError(f"layers={tuple(layers)!r}: no layer is named")
    for row in rows:
        if maps and not row.mapped:
            raise Refused(
                f"layer {row.name!r} gives {'×'.join(map(str, row.shape))} numbers, no maps: it has no texture"
            )
    return rows


def pyramid(net: Net, size: Size) -> tuple[Size, ...]:
    """Half the size, where that still shows something and the network takes it, then the size: coarse before fine."""
    half = (round(size[0] / 2), round(size[1] / 2))
    return (half, size) if min(half) >= _LEAST and takes(net, half) else (size,)


def whole(net: Net, images: Images, side: int) -> tuple[tuple[Float[Tensor, "1 c h w"], ...], tuple[Note, ...]]:
    """Pictures at their own proportions, the longer side so long; and what was decided.

    A network that takes inputs of one size alone is shown what it is always shown of a picture.
    """
    uncut = replace(net.preprocess, resize=None, crop=None)
    shown, notes = [], []
    for one in images:
        picture = uncut.see(Images.from_pictures(one.originals, one.ids)).pixels.to(precision(net))
        size = scaled(picture, side / max(picture.shape[-2:]))
        if net.preprocess.size is not None and not takes(net, size):
            picture = net.see(one).pixels.to(precision(net))
            said = f"{net.name} takes no input of {size[0]}×{size[1]}: it sees it as it classifies it"
            notes.append(Note("input", said, one.ids[0]))
            size = (picture.shape[-2], picture.shape[-1])
        shown.append(resized(picture, size))
    return tuple(shown), tuple(notes)


def scaled(pixels: Tensor, factor: float) -> Size:
    """The size of a picture that is `factor` times as large."""
    return max(round(factor * pixels.shape[-2]), 1), max(round(factor * pixels.shape[-1]), 1)


def coarse_to_fine(
    net: Net, pixels: Float[Tensor, "1 c h w"], levels: Sequence[Size], lossy: Callable[[Size], Loss], evaluations: int,
    climb: Optimiser, what: str,
) -> Float[Tensor, "1 c a b"]:  # fmt: skip
    """The picture found at one size after another, from `pixels` on; `lossy(size)` is the loss there.

    Large shapes are settled where they are small, and take few steps.
    """
    image = Fourier()
    for k, size in enumerate(levels):
        share = max(evaluations * (k + 1) // len(levels) - evaluations * k // len(levels), 1)
        match = Match(net, lossy(size), image, size, what)
        pixels = match.found(image.numbers(resized(pixels, size)), share, climb)
    return pixels


def noise(which: tuple[int | str, ...], like: Float[Tensor, "1 c h w"], size: Size) -> Float[Tensor, "1 c a b"]:
    """A picture of noise with the energy of photos at every frequency; `which` is (seed, picture, …)."""
    image, chance = Fourier(), generator(int(which[0]), *which[1:], "start")
    return image.pixels(image.begin([chance], like.shape[1], size).to(like), size)


def resized(pixels: Float[Tensor, "n c h w"], size: Size) -> Float[Tensor, "n c rows columns"]:
    """Pictures in another size, smooth and still in 0..1."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return F.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)


def as_file(pixels: Float[Tensor, "1 c h w"]) -> tuple[np.ndarray, Float[Tensor, "1 c h w"]]:
    """The picture in 8 bits, and what a network is shown of it when it is read again."""
    bits = eight_bits(pixels)
    return bits[0], torch.from_numpy(bits).permute(0, 3, 1, 2).to(pixels.dtype) / 255
