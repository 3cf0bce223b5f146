"""The walk over chunks of images, and the backward pass from a target to the pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.net.rules import Rule
from pellucid.net.rules.elementwise import min_divisor, stabilized
from pellucid.progress import steps
from pellucid.result.coverage import Coverage, Met
from pellucid.target import Target, resolved, scored

Reduce = Literal["max", "l2", "l1", "signed"]
"""How the channels of a pixel become one number: max |.|, Euclidean norm, sum of |.|, or the plain sum."""
Reduction = Annotated[
    Reduce,
    Field(
        description="way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or "
        "signed sum"
    ),
]


def chunks(
    items: Tensor, net: Net, what: str, size: tuple[int, int] | None = None, *, grad: bool = True
) -> Iterator[Tensor]:
    """`items`, one for each image to run, in portions whose images of `size` fit the memory budget.

    By default the items are the images themselves, (N, C, H, W).
    """
    at_once = net.chunk(size or (items.shape[-2], items.shape[-1]), grad=grad)
    return steps(items.split(at_once), what)


@dataclass(frozen=True, eq=False)
class Signal:
    """What came back to the pixels: d score / d pixel (N, C, H, W), the scores (N,), how operations answered."""

    gradient: Float[Tensor, "n c h w"]
    scores: Float[Tensor, " n"]
    coverage: Coverage
    asked: tuple[Target, ...] = ()
    """What the target was for each image, where its name depends on the run (see `guessed`)."""


def backward(net: Net, pixels: Float[Tensor, "n c h w"], target: Target, rule: Rule | None = None) -> Signal:
    """One backward pass from the target to the pixels, image by image independent."""
    with torch.enable_grad():
        run = net.run(pixels, layers=target.layers, rule=rule, grad="pixels")
        scores, gradients = derivative(run, [run.pixels], target, "the pixels")
    return Signal(gradients[0], scores, dict(run.coverage), resolved(target, run))


def derivative(
    run: Run, nodes: Sequence[Tensor | None], target: Target, what: str, first: int | None = None
) -> tuple[Tensor, list[Tensor]]:
    """(scores (N,), d score / d node for each node), image by image independent; of the `first` images alone.

    Refused where the score does not depend on a node.
    """
    scores = scored(target, run)
    wanted = [node for node in nodes if node is not None]
    found = (
        run.gradients(scores[:first].sum(), wanted, allow_unused=True, retain_graph=run.kept)
        if scores.requires_grad
        else (None,) * len(wanted)
    )
    if any(part is None for part in found):
        raise Refused(f"the score of {target} does not depend on {what}: there is no gradient to follow")
    return scores.detach(), [part.detach() for part in found if part is not None]


def signals(net: Net, prepared: Images, target: Target, what: str, rule: Rule | None = None) -> Signal:
    """`backward` over all images, chunk by chunk."""
    return joined([backward(net, chunk, target, rule) for chunk in chunks(prepared.pixels, net, what)])


def joined(parts: Sequence[Signal]) -> Signal:
    """The signals of several chunks as one."""
    coverage: Counter[Met] = Counter()
    for part in parts:
        coverage.update(part.coverage)
    asked = tuple(one for part in parts for one in part.asked)
    return Signal(torch.cat([p.gradient for p in parts]), torch.cat([p.scores for p in parts]), dict(coverage), asked)


def as_inputs(net: Net, pixels: Float[Tensor, "n c h w"], *, divisible: bool = False) -> Float[Tensor, "n c h w"]:
    """What the first layer receives, in units of pixels: (pixels − mean), for products with d score / d pixel.

    As the network's precision holds it; `divisible` is away from zero by as much as rules that hand on R / x keep it.
    """
    std = pixels.new_tensor(net.preprocess.std).view(1, -1, 1, 1)
    like = next((p for p in net.module.parameters() if p.is_floating_point()), pixels)
    prepared = net.preprocess.normalize(pixels).to(like.dtype).to(pixels.dtype)
    return (stabilized(prepared, min_divisor(like.dtype)) if divisible else prepared) * std


def reduced(gradient: Float[Tensor, "n c h w"], reduce: Reduce) -> Float[Tensor, "n h w"]:
    """(N, C, H, W) -> (N, H, W)."""
    if reduce == "signed":
        return gradient.sum(1)
    if reduce == "l2":
        return gradient.square().sum(1).sqrt()
    return gradient.abs().amax(1) if reduce == "max" else gradient.abs().sum(1)
