"""Feature matching: one picture is optimized until its features match a target.

Beside the loop of `render`, which takes gradient steps on many pictures at once: here a loss has its minimum at a
known answer, and
there L-BFGS is many times faster than any first-order method, but it takes one picture at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork, Refused
from pellucid.net import Net
from pellucid.progress import COMPILER, imported, preview, steps
from pellucid.render.optimizers import Adam, Optimizer
from pellucid.render.parametrizations import Fourier, Image
from pellucid.render.pixels import Size, eight_bits, resized
from pellucid.rng import generator

Loss = Callable[[Float[Tensor, "1 c h w"]], Tensor]
"""loss(picture in 0..1) -> one number to be made small; differentiable."""
OptimizerName = Literal["l-bfgs", "adam"]
RATE = 0.05
"""Of Adam."""
_HISTORY = 20  # pairs that L-BFGS remembers
_BOOST = 1024.0  # keeps gradients of networks in half precision above the smallest number they have


@dataclass(frozen=True)
class Match:
    """One picture to be found: where it is written as numbers, its size, and what is to be made small."""

    net: Net
    loss: Loss
    image: Image
    size: Size
    what: str
    """For whoever watches."""

    def found(
        self, numbers: Tensor, evaluations: int, optimizer: Optimizer | OptimizerName = "l-bfgs"
    ) -> Float[Tensor, "1 c h w"]:
        """The picture after so many evaluations of the loss, from `numbers` on."""
        if optimizer == "l-bfgs":
            ended = self._quasi_newton(numbers, evaluations)
        else:
            step = (optimizer if isinstance(optimizer, Optimizer) else Adam(RATE)).begin()
            ended = numbers
            for done in steps(range(evaluations), self.what):
                ended = self.image.valid(step(ended, -self._gradient_at(ended, done)[1]))
        return self.image.pixels(ended, self.size).detach()

    def _quasi_newton(self, numbers: Tensor, evaluations: int) -> Tensor:
        leaf = numbers.clone()
        # the line search evaluates as often as it needs to; whoever watches sees no more than was promised
        ticks, done = iter(steps(range(evaluations), self.what)), 0
        imported(COMPILER)
        optimizer = torch.optim.LBFGS(
            [leaf], max_iter=evaluations, max_eval=evaluations, history_size=_HISTORY, line_search_fn="strong_wolfe",
            tolerance_grad=0, tolerance_change=0,
        )  # fmt: skip

        def evaluated() -> float:
            nonlocal done
            next(ticks, None)
            loss, leaf.grad = self._gradient_at(leaf, done)
            done += 1
            return loss

        optimizer.step(evaluated)
        return leaf

    def _gradient_at(self, numbers: Tensor, done: int) -> tuple[float, Tensor]:
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
    run = net.run(pixels, layers=layers, grad=grad, stop=True)
    found = [run[layer].to(pixels) for layer in layers]
    for layer, values in zip(layers, found, strict=True):
        if not grad and not torch.isfinite(values).all():
            raise BadNetwork(f"layer {layer!r} of {net.name} gives NaN or infinity")
    return found


def relative(values: Tensor, wanted: Tensor) -> Tensor:
    """‖values − wanted‖² / ‖wanted‖²; as a quotient of means, which half precision can hold."""
    return (values - wanted).square().mean() / wanted.square().mean()


def coarse_to_fine(
    net: Net, pixels: Float[Tensor, "1 c h w"], levels: Sequence[Size], lossy: Callable[[Size], Loss], evaluations: int,
    optimizer: OptimizerName, what: str,
) -> Float[Tensor, "1 c a b"]:  # fmt: skip
    """The picture found at one size after another, from `pixels` on; `lossy(size)` is the loss there.

    Large shapes are settled where they are small, and take few steps.
    """
    image = Fourier()
    for k, size in enumerate(levels):
        share = max(evaluations * (k + 1) // len(levels) - evaluations * k // len(levels), 1)
        match = Match(net, lossy(size), image, size, what)
        pixels = match.found(image.numbers(resized(pixels, size)), share, optimizer)
    return pixels


def noise(which: tuple[int | str, ...], like: Float[Tensor, "1 c h w"], size: Size) -> Float[Tensor, "1 c a b"]:
    """A picture of noise with the energy of photos at every frequency; `which` is (seed, picture, …)."""
    image, chance = Fourier(), generator(int(which[0]), *which[1:], "start")
    return image.pixels(image.begin([chance], like.shape[1], size).to(like), size)
