"""The one loop: a picture is drawn, touched, shown, and moved uphill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.chance import generator
from pellucid.errors import BadNetwork, FailedOnInput, PellucidError, Refused
from pellucid.methods.synthesis._image import Size
from pellucid.methods.synthesis._priors import Penalty, Touch
from pellucid.methods.synthesis._recipe import Recipe
from pellucid.methods.synthesis._transforms import Matrix, drawn, looked_at, shifted, zoomed
from pellucid.net import Net, Run
from pellucid.net.rules import Redirected, Rule
from pellucid.notes import Note
from pellucid.progress import preview, steps
from pellucid.target import Sum, Target, Targets, Top, scored

Watch = Callable[[int, Callable[[], Tensor]], None]
"""watch(step, pictures): called after each step; the pictures are only made if they are asked for."""
_USUAL = (224, 224)


@runtime_checkable
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
    notes: tuple[Note, ...] = ()

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
        return crop or net.size
    high, wide = crop or (asked, asked)
    short = min(high, wide)
    return max(round(asked * high / short), high), max(round(asked * wide / short), wide)


def framed(net: Net, size: int | Size | None, room: int, *, cuts: bool = False) -> Frame:
    """The frame for pictures of that size, by default the network's own; `room` is what the transforms add to it.

    A picture of the native size is seen through the window that the preprocessing cuts, which wanders over it; of
    another size it is seen whole, as large as it is where the network takes that, else enlarged or reduced. Where
    the transforms cut parts out of it, each part is shown as large as the network's own input.
    """
    window = net.preprocess.size
    whole = native_size(net) if size is None else (size, size) if isinstance(size, int) else size
    if cuts:
        window = window or (min(whole[0], _USUAL[0]), min(whole[1], _USUAL[1]))
        return Frame(whole, window, min(window[0] / whole[0], window[1] / whole[1]))
    if size is None:
        window = window or whole
        # as far past the edge as the transforms pad: else the border, which few windows reach, stays grey
        past = max(room, 0)
        return Frame(whole, window, roam=(max(whole[0] - window[0], 0) + past, max(whole[1] - window[1], 0) + past))
    canvas = (whole[0] + room, whole[1] + room)
    if min(canvas) < 1:
        raise PellucidError(f"size={whole[0]}×{whole[1]}: the transforms take {-room} pixels of it, nothing is left")
    if window is not None and not takes(net, canvas):
        zoom = min(window[0] / canvas[0], window[1] / canvas[1])
        note = f"{net.name} takes no input of {canvas[0]}×{canvas[1]}: it sees the pictures {zoom:.3g} times as large"
        return Frame(whole, window, zoom, notes=(Note("input", note),))
    return Frame(whole, canvas)


def takes(net: Net, size: Size) -> bool:
    """Whether the network runs on inputs of that size. A failure that does not repeat is no answer: it is raised."""
    failure = _failure(net, size)
    if failure is not None and _failure(net, size) is None:
        raise failure
    return failure is None


def _failure(net: Net, size: Size) -> FailedOnInput | None:
    try:
        net.layers(size)
    except FailedOnInput as error:
        return error
    return None


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
    together: int = 1,
    credit: list[Tensor] | None = None,
) -> Float[Tensor, "n c h w"]:
    """The finished pictures, (N, C, H, W) in 0..1: one for each stream of random numbers in `chance` (seed, …).

    `begin` are pictures to start from instead of noise. Pictures are made in as few batches as memory allows, and
    none depends on another, unless the objective lets each `together` neighbours: they stay in one batch. `credit`
    receives for each batch Σ |gradient| over colours, looks and steps, (n, H, W).
    """
    parts = []
    batches = _batches(objective, len(chance), max(net.chunk(frame.canvas, grad=True) // together, 1) * together)
    for which in steps(batches, f"{what}: batches") if len(batches) > 1 else batches:
        work = _Work(net, objective.part(which), recipe, frame, chance[which], None if begin is None else begin[which])
        for step in steps(range(recipe.steps), what):
            work.step(step)
            preview(work.shown)
            if watch is not None:
                watch(step, work.pictures)
        parts.append(work.pictures())
        if credit is not None:
            credit.append(work.credit)
    return torch.cat(parts)


def _batches(objective: Objective, count: int, at_once: int) -> list[slice]:
    """Neighbours that ask about the same layers, so that each pass ends as early as its own objective allows."""
    alone = [objective.part(slice(i, i + 1)) for i in range(count)]
    reads = [(one.reads_output, one.layers) for one in alone]
    starts = [i for i in range(count) if i == 0 or reads[i] != reads[i - 1]]
    ends = [*starts[1:], count]
    return [slice(i, min(i + at_once, e)) for s, e in zip(starts, ends, strict=True) for i in range(s, e, at_once)]


class _Work:
    """One batch of pictures under way."""

    def __init__(
        self, net: Net, objective: Objective, recipe: Recipe, frame: Frame, chance: Sequence[tuple[int | str, ...]],
        begin: Tensor | None,
    ) -> None:  # fmt: skip
        self.net, self.objective, self.recipe, self.frame, self.chance = net, objective, recipe, frame, chance
        channels, kind, mean = net.preprocess.channels or 3, precision(net), net.preprocess.mean
        if begin is None:
            starts = [generator(int(one[0]), *one[1:], "start") for one in chance]
            self.numbers = recipe.image.begin(starts, channels, frame.size, mean).to(kind)
        else:
            self.numbers = recipe.image.numbers(begin.to(kind))
        self.climbing, self.interleaved = recipe.climb.begin(), True
        self.mean = torch.tensor(mean, dtype=kind).view(1, -1, 1, 1)
        self.best = torch.full((len(chance),), -torch.inf, dtype=kind)
        self.finest = self.numbers.clone()
        self.credit = torch.zeros(len(chance), *frame.size, dtype=kind)

    def pictures(self) -> Tensor:
        """As they are now, or as they were best, in 0..1."""
        return self.recipe.image.pixels(self.finest if self.recipe.best else self.numbers, self.frame.size).detach()

    def shown(self) -> UInt8[np.ndarray, "h w c"]:
        """The batch side by side, in 8 bits."""
        return np.concatenate([*eight_bits(self.pictures())], axis=1)

    def step(self, step: int) -> None:
        """One step uphill."""
        recipe, image = self.recipe, self.recipe.image
        self.numbers = image.valid(self.numbers)
        leaf = self.numbers.detach().requires_grad_()
        with torch.enable_grad():
            pixels = image.pixels(leaf, self.frame.size)
            scores, gradient = self._looks(pixels.detach().requires_grad_(), step)
            self.credit += gradient.abs().sum(1)
            (gradient,) = torch.autograd.grad(pixels, leaf, gradient)
        if not torch.isfinite(gradient).all():
            raise BadNetwork(f"the gradient of {self.net.name} is not finite at step {step + 1}: its weights overflow")
        self._note(scores.to(self.best))
        numbers = self.climbing(self.numbers, gradient)
        for touch in recipe.priors:
            if isinstance(touch, Touch):
                numbers = touch(numbers - self.mean, gradient, step) + self.mean
        self.numbers = numbers

    def _looks(self, pixels: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The objective (N,), the mean over all looks, and its gradient by the pixels; less the penalties."""
        recipe, looks = self.recipe, self.recipe.looks
        chance = [generator(int(one[0]), *one[1:], "step", step) for one in self.chance]
        total, slope = torch.zeros(len(pixels), dtype=pixels.dtype), torch.zeros_like(pixels)
        for _ in range(looks):
            seen = self._seen(pixels, chance)
            scores, pull = self._pull(seen.detach().requires_grad_(), wake=step < recipe.redirect)
            (found,) = torch.autograd.grad(seen, pixels, pull)
            total, slope = total + scores / looks, slope + found / looks
        for penalty in recipe.priors:
            if isinstance(penalty, Penalty):
                cost = penalty(pixels - self.mean)
                (found,) = torch.autograd.grad(cost.sum(), pixels)
                total, slope = total - cost.detach(), slope - found
        return total, slope

    def _pull(self, seen: Tensor, wake: bool) -> tuple[Tensor, Tensor]:
        """The objective (N,), and its gradient by what the network is shown.

        With `wake`, pictures that no gradient reaches get that of redirected rectifiers. Olah et al. ask at each
        rectifier whether it is silent; to ask at the end costs nothing where all is well, and cures the same.
        """
        scores, pull = self._gradient(seen, None)
        if wake:
            silent = ~pull.reshape(len(pull), -1).any(1)
            if silent.any():
                _, waking = self._gradient(seen, Redirected())
                pull = torch.where(silent[:, None, None, None], waking, pull)
        return scores, pull

    def _gradient(self, seen: Tensor, rule: Rule | None) -> tuple[Tensor, Tensor]:
        scores = self.objective(self._run(seen, rule))
        if not scores.requires_grad:
            raise Refused("the objective does not depend on the pixels: there is nothing to climb")
        (pull,) = self.net.gradients(scores.sum(), seen)
        return scores.detach().to(seen), pull

    def _run(self, seen: Tensor, rule: Rule | None) -> Run:
        """The pass over what the network is shown, as far as the objective needs it."""
        stop = not self.objective.reads_output
        ask = partial(self.net.run, at=self.objective.layers, rule=rule, grad=True, stop=stop)
        if self.interleaved:  # channels last: convolutions are a tenth faster
            try:
                return ask(seen.contiguous(memory_format=torch.channels_last))
            except BadNetwork as error:
                if "view size is not compatible" not in str(error):
                    raise
                self.interleaved = False  # the network's code relies on how numbers lie in memory
        return ask(seen)

    def _seen(self, pixels: Tensor, chance: Sequence[np.random.Generator]) -> Tensor:
        """What the network is shown of the pictures at one look."""
        recipe, frame = self.recipe, self.frame
        touched = drawn(recipe.transforms, chance, min(frame.size))
        matrices = [m @ frame.matrix(one) for m, one in zip(touched, chance, strict=True)]
        wraps = min(max((one.wraps for one in recipe.transforms), default=0), *frame.size)
        if wraps:
            pixels = F.pad(pixels, (wraps,) * 4, mode="circular")
        mode = "bicubic" if recipe.cuts else "bilinear"  # a cut is enlarged, and that should leave no facets
        seen = looked_at(pixels, matrices, frame.canvas, mode=mode)
        for transform in recipe.transforms:
            parts = [transform.added(one, seen.shape[1:]) for one in chance]
            added = [torch.from_numpy(part) for part in parts if part is not None]
            if added:
                seen = seen + torch.stack(added).to(seen)
        return seen

    def _note(self, scores: Tensor) -> None:
        better = scores > self.best
        self.best = torch.where(better, scores, self.best)
        if self.recipe.best:
            self.finest = torch.where(better.view(-1, *[1] * (self.numbers.dim() - 1)), self.numbers, self.finest)


def eight_bits(pixels: Float[Tensor, "n c h w"]) -> UInt8[np.ndarray, "n h w c"]:
    """What a file of each picture holds."""
    rounded = (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def through(
    pixels: UInt8[np.ndarray, "n h w c"], credit: Float[Tensor, "n h w"], percentile: float | int = 90
) -> UInt8[np.ndarray, "n h w c"]:
    """The pictures on white, as opaque as each pixel's share in the climb; full from that percentile on."""
    shares = credit.double().cpu().numpy()
    full = np.percentile(shares, percentile, axis=(1, 2), keepdims=True)
    opaque = np.clip(shares / np.maximum(full, np.finfo(float).tiny), 0, 1)[..., None]
    return np.asarray(np.round(opaque * pixels + (1 - opaque) * 255), dtype=np.uint8)


def streams(seed: int, targets: Sequence[Target], count: int) -> Iterator[tuple[int | str, ...]]:
    """The random numbers of `count` pictures for each target: they depend on the target and not on its neighbours."""
    for target in targets:
        for i in range(count):
            yield seed, str(target), i


def without_picture(targets: Targets) -> None:
    """Raise Refused for a target that is taken from a picture: a synthesis begins with none."""
    for target in targets:
        for _, part in target.parts if isinstance(target, Sum) else ((1, target),):
            if isinstance(part, Top):
                raise Refused(
                    f"target {str(target)!r}: there is no picture yet that the network could guess about; "
                    "name a class, or a unit as LAYER:UNIT"
                )


def answerable(net: Net, targets: Targets) -> None:
    """Raise for a target that cannot be asked of this network, before an hour is spent on its neighbours."""
    without_picture(targets)
    size = net.preprocess.size or native_size(net)
    run = net.run(torch.full((1, net.preprocess.channels or 3, *size), 0.5), at=targets.layers)
    for target in targets:
        with suppress(Refused):  # there may be nothing of it in a grey picture
            target(run)
