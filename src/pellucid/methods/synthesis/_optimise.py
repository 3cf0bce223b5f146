"""The one loop: a picture is drawn, touched, shown, and moved uphill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pellucid.chance import generator
from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.methods.synthesis._image import Size
from pellucid.methods.synthesis._priors import Penalty, Touch
from pellucid.methods.synthesis._recipe import Recipe
from pellucid.methods.synthesis._transforms import Matrix, drawn, looked_at, shifted, zoomed
from pellucid.net import Net, Run
from pellucid.net.rules import Redirected
from pellucid.progress import preview, steps
from pellucid.target import Target, Targets, scored

Watch = Callable[[int, Callable[[], Tensor]], None]
"""watch(step, pictures): called after each step; the pictures are only made if they are asked for."""
_USUAL = (224, 224)


class Objective(Protocol):
    """What is raised: one number for each picture of a run."""

    @property
    def layers(self) -> tuple[str, ...]:
        """What it reads: the pass ends at the last of them, unless it `reads_output`."""

    @property
    def reads_output(self) -> bool:
        """Whether the network's output is needed."""

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        """(N,), differentiable; picture by picture independent."""

    def part(self, which: slice) -> Objective:
        """The same for some of the pictures."""


@final
@dataclass(frozen=True)
class Each:
    """Picture i is asked about target i."""

    targets: tuple[Target, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        return Targets(self.targets).layers

    @property
    def reads_output(self) -> bool:
        return Targets(self.targets).reads_output

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        asked = {target: scored(target, run) for target in dict.fromkeys(self.targets)}
        return torch.stack([asked[target][i] for i, target in enumerate(self.targets)])

    def part(self, which: slice) -> Each:
        return Each(self.targets[which])


@dataclass(frozen=True)
class Frame:
    """The size of the pictures, and what the network is shown of them at each step.

    `zoom` enlarges where a network takes one size alone, `roam` is how far the window may wander to see all of a
    picture that is larger than it.
    """

    size: Size
    canvas: Size
    zoom: float = 1.0
    roam: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()

    def matrix(self, chance: np.random.Generator) -> Matrix:
        """Where the network looks before any transform."""
        down, across = (chance.integers(0, free + 1) - free / 2 for free in self.roam)
        return zoomed(self.zoom) @ shifted(float(down), float(across))


def native_size(net: Net) -> Size:
    """The size of a picture file that the network's preprocessing cuts, but does not resize."""
    asked, crop = net.preprocess.resize, net.preprocess.crop
    if isinstance(asked, tuple):
        return asked
    if asked is None:
        return crop or _USUAL
    high, wide = crop or (asked, asked)
    short = min(high, wide)
    return max(round(asked * high / short), high), max(round(asked * wide / short), wide)


def framed(net: Net, size: int | Size | None, room: int) -> Frame:
    """The frame for pictures of that size, by default the network's own; `room` is what the transforms add to it.

    A picture of the native size is seen through the window that the preprocessing cuts, which wanders over it; of
    another size it is seen whole, as large as it is where the network takes that, else enlarged or reduced.
    """
    window = net.preprocess.size
    if size is None:
        whole = native_size(net)
        window = window or whole
        return Frame(whole, window, roam=(max(whole[0] - window[0], 0), max(whole[1] - window[1], 0)))
    whole = (size, size) if isinstance(size, int) else size
    canvas = (whole[0] + room, whole[1] + room)
    if min(canvas) < 1:
        raise PellucidError(f"size={whole[0]}×{whole[1]}: the transforms take {-room} pixels of it, nothing is left")
    try:
        net.layers(canvas)
    except BadNetwork as error:
        if window is None:
            raise
        zoom = min(window[0] / canvas[0], window[1] / canvas[1])
        note = f"{net.name} takes no input of {canvas[0]}×{canvas[1]}: it sees the pictures {zoom:.3g} times as large"
        if "failed on an input" not in str(error):
            raise
        return Frame(whole, window, zoom, notes=(note,))
    return Frame(whole, canvas)


def precision(net: Net) -> torch.dtype:
    """float64 where the network is; pictures are otherwise moved in float32, whatever it computes in."""
    like = next((p for p in net.module.parameters() if p.is_floating_point()), torch.zeros(()))
    return torch.float64 if like.dtype == torch.float64 else torch.float32


def optimised(
    net: Net,
    objective: Objective,
    recipe: Recipe,
    frame: Frame,
    chance: Sequence[tuple[int | str, ...]],
    *,
    what: str,
    begin: Tensor | None = None,
    watch: Watch | None = None,
) -> Float[Tensor, "n c h w"]:
    """The finished pictures, (N, C, H, W) in 0..1: one for each stream of random numbers in `chance` (seed, …).

    `begin` are pictures to start from instead of noise. Pictures are made in as few batches as memory allows, and
    none depends on another.
    """
    parts = []
    at_once = net.chunk(frame.canvas, grad=True)
    for start in steps(range(0, len(chance), at_once), f"{what}: batches") if len(chance) > at_once else [0]:
        which = slice(start, start + at_once)
        work = _Work(net, objective.part(which), recipe, frame, chance[which], None if begin is None else begin[which])
        for step in steps(range(recipe.steps), what):
            work.step(step)
            preview(work.shown)
            if watch is not None:
                watch(step, work.pictures)
        parts.append(work.pictures())
    return torch.cat(parts)


class _Work:
    """One batch of pictures under way."""

    def __init__(
        self, net: Net, objective: Objective, recipe: Recipe, frame: Frame, chance: Sequence[tuple[int | str, ...]],
        begin: Tensor | None,
    ) -> None:  # fmt: skip
        self.net, self.objective, self.recipe, self.frame, self.chance = net, objective, recipe, frame, chance
        channels, kind = net.preprocess.channels or 3, precision(net)
        if begin is None:
            starts = [generator(int(one[0]), *one[1:], "start") for one in chance]
            self.numbers = recipe.image.begin(starts, channels, frame.size).to(kind)
        else:
            self.numbers = recipe.image.numbers(begin.to(kind))
        self.climbing = recipe.climb.begin()
        self.mean = torch.tensor(net.preprocess.mean, dtype=kind).view(1, -1, 1, 1)
        self.best = torch.full((len(chance),), -torch.inf, dtype=kind)
        self.finest = self.numbers.clone()

    def pictures(self) -> Tensor:
        """As they are now, or as they were best, in 0..1."""
        return self.recipe.image.pixels(self.finest if self.recipe.best else self.numbers, self.frame.size).detach()

    def shown(self) -> UInt8[np.ndarray, "h w c"]:
        """The batch side by side, in 8 bits."""
        return np.concatenate([*eight_bits(self.pictures())], axis=1)

    def step(self, step: int) -> None:
        """One step uphill."""
        recipe, rule = self.recipe, Redirected() if step < self.recipe.redirect else None
        leaf = self.numbers.detach().requires_grad_()
        with torch.enable_grad():
            pixels = recipe.image.pixels(leaf, self.frame.size)
            chance = [generator(int(one[0]), *one[1:], "step", step) for one in self.chance]
            touched = drawn(recipe.transforms, chance, min(self.frame.size))
            matrices = [m @ self.frame.matrix(one) for m, one in zip(touched, chance, strict=True)]
            seen = looked_at(pixels, matrices, self.frame.canvas)
            stop = not self.objective.reads_output
            run = self.net.run(seen, at=self.objective.layers, rule=rule, grad=True, stop=stop)
            scores = self.objective(run)
            for penalty in recipe.priors:
                if isinstance(penalty, Penalty):
                    scores = scores - penalty(pixels - self.mean)
            if not scores.requires_grad:
                raise Refused("the objective does not depend on the pixels: there is nothing to climb")
            (gradient,) = torch.autograd.grad(scores.sum(), leaf)
        if not torch.isfinite(gradient).all():
            raise BadNetwork(f"the gradient of {self.net.name} is not finite at step {step + 1}: its weights overflow")
        self._note(scores.detach().to(self.best))
        numbers = self.climbing(self.numbers, gradient)
        for touch in recipe.priors:
            if isinstance(touch, Touch):
                numbers = touch(numbers - self.mean, gradient, step) + self.mean
        self.numbers = numbers

    def _note(self, scores: Tensor) -> None:
        better = scores > self.best
        self.best = torch.where(better, scores, self.best)
        if self.recipe.best:
            self.finest = torch.where(better.view(-1, *[1] * (self.numbers.dim() - 1)), self.numbers, self.finest)


def eight_bits(pixels: Float[Tensor, "n c h w"]) -> UInt8[np.ndarray, "n h w c"]:
    """What a file of each picture holds."""
    rounded = (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def streams(seed: int, targets: Sequence[Target], count: int) -> Iterator[tuple[int | str, ...]]:
    """The random numbers of `count` pictures for each target: they depend on the target and not on its neighbours."""
    for target in targets:
        for i in range(count):
            yield seed, str(target), i
