"""Fooling: a file changed by whole levels of 255, within bounds, until the network takes it for a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork, Refused
from pellucid.images import Images, as_float
from pellucid.net import Net, Run, outputs
from pellucid.progress import preview, steps
from pellucid.render.optimizers import Normalized
from pellucid.render.pixels import File, eight_bits, precision
from pellucid.target import Logit, Probability, Target, Top, fixed, scored

LEVELS = 255
_MOMENTUM = 0.5


@final
@dataclass(frozen=True, eq=False)
class Fooled:
    """What became of a picture: whole numbers in 0..255, (C, H, W)."""

    levels: Tensor
    probability: float
    """Of the class, on the picture as its file holds it."""
    taken: int
    """Steps."""


def fooled(
    net: Net, levels: Float[Tensor, "c h w"], asked: Logit, *, probability: float, most: int, rate: float | int,
    bound: Callable[[int], int], what: str,
) -> Fooled:  # fmt: skip
    """Raise the log odds of a class until its probability is reached on the picture as a file holds it.

    δ += rate · m / mean |m|, m the gradient with momentum ½, and |δ| ≤ bound(step), all in levels of 255. The network
    is always shown the rounded picture, through its own preprocessing; the gradient passes the rounding unchanged.
    Without success within `most` steps, the picture that came nearest.
    """
    kind = precision(net)
    levels = levels.to(kind)
    change, gradient, optimizer = torch.zeros_like(levels), torch.zeros_like(levels), Normalized(rate).begin()
    best = Fooled(levels, -1.0, 0)
    for step in steps(range(most + 1), what):
        rounded = (levels + change.round()).clamp(0, LEVELS)
        odds, gradient = odds_and_slope(net, rounded / LEVELS, asked)
        if (reached := float(odds.sigmoid())) > best.probability:
            best = Fooled(rounded, reached, step)
        if reached >= probability and (certain := probability_of(net, rounded, asked)) >= probability:
            return Fooled(rounded, certain, step)
        if not torch.isfinite(gradient).all():
            raise BadNetwork(f"the gradient of {net.name} is not finite at step {step + 1}: its weights overflow")
        if step == most or not gradient.any():
            break
        gradient = _MOMENTUM * gradient + gradient / gradient.abs().mean()
        moved = optimizer(change[None], gradient[None])[0].clamp(-bound(step), bound(step))
        change = (levels + moved).clamp(0, LEVELS) - levels
        preview(lambda shown=rounded: file_of(shown))  # type: ignore[misc]
    return Fooled(best.levels, probability_of(net, best.levels, asked), best.taken)


def of_a_class(net: Net, target: Target, example: Images) -> Logit:
    """The class that a target asks about; Refused for what is no class."""
    if isinstance(target, Top):
        target = fixed(target, net.run(example))
    if not isinstance(target, (Logit, Probability)):
        raise Refused(f"{target}: a network is fooled into a class, say which: its name, number or WordNet id")
    asked = Logit(net.class_index(target.of_class))
    run = net.run(example)
    run.by_class  # noqa: B018  # a regression has none, and says so
    scored(asked, run)  # a class that is not there is answered by name
    return asked


def probability_of(net: Net, levels: Float[Tensor, "c h w"], asked: Logit) -> float:
    """Of the class, for the picture as a file of it would be read."""
    return float(scored(Probability(asked.of_class), net.run(saved(levels)))[0].double())


def saved(levels: Float[Tensor, "c h w"]) -> Images:
    """The picture as its file would be read."""
    return _image(levels.to(torch.uint8))


def file_of(levels: Float[Tensor, "c h w"]) -> File:
    """What a file of the picture holds, (H, W, C)."""
    file: File = eight_bits(levels[None] / LEVELS)[0]
    return file


def _image(picture: Tensor) -> Images:
    return Images.from_pictures([picture], ["picture"])


def levels_of(picture: Tensor) -> Float[Tensor, "c h w"]:
    """Whole numbers in 0..255: what an 8-bit file of the picture holds."""
    return (as_float(picture).double().clamp(0, 1) * LEVELS).round()


def odds_and_slope(net: Net, pixels: Float[Tensor, "c h w"], asked: Logit) -> tuple[Tensor, Float[Tensor, "c h w"]]:
    """log p / (1 − p) of the class, which never saturates, and its gradient by the pixels."""
    with torch.enable_grad():
        leaf = pixels.detach().requires_grad_()
        odds = log_odds(net.run(_image(leaf), grad=True), asked)[0]
        if not odds.requires_grad:
            raise Refused(f"the scores of {net.name} do not depend on the pixels: no change gives another class")
        (gradient,) = net.gradients(odds, leaf)
    return odds.detach(), gradient


def log_odds(run: Run, asked: Logit) -> Float[Tensor, " n"]:
    """log p / (1 − p), (N,): of logits that of the class less the log of the summed exponentials of all others."""
    scored(asked, run)
    index = run.net.class_index(asked.of_class)
    return outputs.log_odds(run.scores.double(), run.net.meaning, run.two, index)
