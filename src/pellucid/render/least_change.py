"""Least change: a file changed in as few places and by as little as it takes until a network gives another class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork
from pellucid.net import Net
from pellucid.progress import preview, steps
from pellucid.render.adversarial import LEVELS, file_of, odds_and_slope, probability_of
from pellucid.render.optimizers import Adam, Step
from pellucid.render.pixels import precision
from pellucid.target import Logit

RATE = 1.0
"""Of Adam, in levels of 255: about the change of a pixel value in a step."""
_GROWTH = 2.0
"""By which the weight of the class grows while it is not reached, as Wachter et al. 2017 let it grow (section IV); in
steps of four the change of a linear network comes out up to half as large again as it need be."""
_BEYOND = 0.2
"""Log odds that are sought beyond what is wanted: where both terms balance something is always lacking."""
_STILL, _GAIN = 8, 0.05
"""A round ends once so many steps together have not lowered the loss by this share; the last, in which the class is
reached, by a fifth of it."""


@final
@dataclass(frozen=True, eq=False)
class Changed:
    """What became of a picture: whole numbers in 0..255, (C, H, W)."""

    levels: Tensor
    probability: float
    """Of the class, on the picture as its file holds it."""
    taken: int
    """Steps."""
    weight: float
    """Of the class against the change, in the last round."""


def least_changed(
    net: Net, levels: Float[Tensor, "c h w"], asked: Logit, *, probability: float, most: int, what: str
) -> Changed:
    """The x' with the least λ · max(o* − o(x'), 0)² + mean |x' − x|, by Adam, λ growing until the class is reached.

    o is the log odds of the class and o* those of the wanted probability: of Wachter's squared distance to the wanted
    answer the half that has not been reached, on a scale that has a slope also where the class is next to impossible.
    Changes are in levels of 255, all pixel values count alike. The network is always shown the rounded picture, through
    its own preprocessing. In the end changes that do least for the class are taken back, as many as it allows.
    Without success within `most` steps, the picture that came nearest.
    """
    levels = levels.to(precision(net))
    wanted = math.log(probability / (1 - probability))
    change, optimizer, each = torch.zeros_like(levels), Adam(RATE).begin(), 1 / levels.numel()
    best, nearest, reached = None, levels, -math.inf
    weight, since, least, taken = 0.0, 0, math.inf, 0
    for taken in steps(range(most + 1), what):
        rounded = (levels + change.round()).clamp(0, LEVELS)
        odds, slope = odds_and_slope(net, rounded / LEVELS, asked)
        lacking, size = max(wanted + _BEYOND - float(odds), 0.0), float((rounded - levels).abs().mean())
        if not weight:
            # at first for one pixel value in a hundred the class weighs more than the change
            some = slope.abs().flatten().topk(max(int((slope != 0).sum()) // 100, 1)).values[-1]
            weight = each / max(2 * max(lacking, _BEYOND) * float(some) / LEVELS, 1e-30)
        if float(odds) > reached:
            nearest, reached = rounded, float(odds)
        if odds >= wanted and (best is None or size < float((best - levels).abs().mean())):
            best = rounded
        loss = weight * lacking**2 + size
        since, least = (0, loss) if loss < least * (1 - (_GAIN if best is None else _GAIN / 5)) else (since + 1, least)
        if since >= _STILL:
            if best is not None:
                break
            weight, since, least = _GROWTH * weight, 0, math.inf
        if taken == most:
            break
        if not torch.isfinite(slope).all():
            raise BadNetwork(f"the gradient of {net.name} is not finite at step {taken + 1}: its weights overflow")
        change = _moved(change, 2 * weight * lacking * slope / LEVELS, each, optimizer)
        change = (levels + change).clamp(0, LEVELS) - levels
        preview(lambda shown=rounded: file_of(shown))  # type: ignore[misc]
    found = nearest if best is None else _thinned(net, levels, best, asked, probability)
    return Changed(found, probability_of(net, found, asked), taken, weight)


def _moved(change: Tensor, pull: Tensor, each: float, optimizer: Step) -> Tensor:
    """One step. `each` is what a level of change costs: pixel values that are pulled by less stay as they are, and none
    goes past its first value to the other side in one step.
    """
    free = change == 0
    slope = torch.where(free, pull.sign() * (pull.abs() - each).clamp(min=0), pull - each * change.sign())
    moved: Tensor = optimizer(change[None], slope[None])[0]
    side = torch.where(free, slope, change).sign()
    return torch.where(moved.sign() == side, moved, torch.zeros_like(moved))


def _thinned(net: Net, levels: Tensor, found: Tensor, asked: Logit, probability: float) -> Tensor:
    """The picture with as many changes taken back as the class allows, those first that do least for it by level."""
    _, slope = odds_and_slope(net, found / LEVELS, asked)
    change = (found - levels).flatten()
    order = (slope.flatten().to(change) * change.sign()).argsort(stable=True)
    order = order[change[order] != 0]

    def without(count: int) -> Tensor:
        kept = found.flatten().clone()
        kept[order[:count]] = levels.flatten()[order[:count]]
        return kept.view_as(found)

    low, high = 0, len(order) + 1  # without `low` of them the class stays; not without `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if probability_of(net, without(middle), asked) >= probability else (low, middle)
    return without(low)
