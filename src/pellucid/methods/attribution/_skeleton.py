"""What attribution methods share: the walk over chunks of images, the backward pass, the layer, the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork, Refused
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.net.rules import Rule
from pellucid.progress import steps
from pellucid.result import Heatmap, Meta
from pellucid.target import Target, fixed, named

Reduce = Literal["max", "l2", "l1", "signed"]
"""How the channels of a pixel become one number: max |.|, Euclidean norm, sum of |.|, or the plain sum."""


def chunks(
    items: Tensor, net: Net, what: str, size: tuple[int, int] | None = None, *, grad: bool = True
) -> Iterator[Tensor]:
    """`items`, one for each image to run, in portions whose images of `size` fit the memory budget.

    By default the items are the images themselves, (N, C, H, W).
    """
    at_once = net.chunk(size or (items.shape[-2], items.shape[-1]), grad=grad)
    return steps(items.split(at_once), what)


def scored(target: Target, run: Run) -> Float[Tensor, " n"]:
    """The target's (N,) scores, checked."""
    scores = target(run)
    if not torch.isfinite(scores.detach()).all():
        raise BadNetwork(
            f"the score of {target} is not finite: the weights of {run.net.name} hold NaN or infinity, or overflow"
        )
    return scores


@dataclass(frozen=True, eq=False)
class Signal:
    """What came back to the pixels: d score / d pixel (N, C, H, W), the scores (N,), how operations answered."""

    gradient: Float[Tensor, "n c h w"]
    scores: Float[Tensor, " n"]
    coverage: dict[str, int]


def backward(net: Net, pixels: Float[Tensor, "n c h w"], target: Target, rule: Rule | None = None) -> Signal:
    """One backward pass from the target to the pixels, image by image independent."""
    with torch.enable_grad():
        leaf = pixels.detach().clone().requires_grad_()
        run = net.run(leaf, at=target.layers, rule=rule, grad=True)
        scores = scored(target, run)
        gradient = derivative(scores, [leaf], target, "the pixels")[0]
    return Signal(gradient, scores.detach(), dict(run.coverage))


def derivative(scores: Tensor, nodes: list[Tensor], target: Target, what: str) -> tuple[Tensor, ...]:
    """d score / d node for each image; Refused where the score does not depend on a node."""
    found = (
        torch.autograd.grad(scores.sum(), nodes, allow_unused=True) if scores.requires_grad else (None,) * len(nodes)
    )
    if any(part is None for part in found):
        raise Refused(f"the score of {target} does not depend on {what}: there is no gradient to follow")
    return tuple(part.detach() for part in found if part is not None)


def signals(net: Net, seen: Images, target: Target, what: str, rule: Rule | None = None) -> Signal:
    """`backward` over all pictures, chunk by chunk."""
    parts = [backward(net, chunk, target, rule) for chunk in chunks(seen.pixels, net, what)]
    coverage: Counter[str] = Counter()
    for part in parts:
        coverage.update(part.coverage)
    return Signal(torch.cat([p.gradient for p in parts]), torch.cat([p.scores for p in parts]), dict(coverage))


def reduced(gradient: Float[Tensor, "n c h w"], reduce: Reduce) -> Float[Tensor, "n h w"]:
    """(N, C, H, W) -> (N, H, W)."""
    if reduce == "signed":
        return gradient.sum(1)
    if reduce == "l2":
        return gradient.square().sum(1).sqrt()
    return gradient.abs().amax(1) if reduce == "max" else gradient.abs().sum(1)


def pixel_map(
    net: Net,
    seen: Images,
    target: Target,
    values: Tensor,
    signal: Signal,
    *,
    unit: str,
    signed: bool,
    **meta: Any,
) -> Heatmap:
    """A heatmap with one value per pixel of the network's input."""
    return heatmap(
        net,
        seen,
        target,
        values,
        Placement.pixels(),
        signal.scores,
        unit=unit,
        signed=signed,
        coverage=signal.coverage,
        **meta,
    )


def heatmap(
    net: Net,
    seen: Images,
    target: Target,
    values: Tensor,
    placement: Placement,
    scores: Tensor,
    *,
    unit: str,
    signed: bool = True,
    notes: tuple[str, ...] = (),
    **meta: Any,
) -> Heatmap:
    """Numbers leave the graph here; maps that say nothing say so."""
    values = values.detach()
    if not torch.isfinite(values).all():
        raise BadNetwork(
            f"the map for {target} is not finite: the weights of {net.name} hold NaN or infinity, or overflow"
        )
    silent = [name for name, one in zip(seen.ids, values, strict=True) if not one.any()]
    if silent:
        notes = (
            *notes,
            f"the map is zero everywhere for {', '.join(silent)}: nothing there moves this score",
        )
    return Heatmap(
        values.float().cpu().numpy() if values.dtype != torch.float64 else values.cpu().numpy(),
        placement,
        seen.views,
        unit=unit,
        signed=signed,
        meta=Meta(
            target=asked_name(net, target, seen),
            score=tuple(scores.detach().double().tolist()),
            notes=(*seen.notes, *notes),
            **meta,
        ),
    )


def asked_name(net: Net, target: Target, seen: Images) -> str:
    """The target as a person would read it; the best guess by its name where there is one image."""
    return str(named(fixed(target, net.run(seen)) if len(seen) == 1 else target, net))
