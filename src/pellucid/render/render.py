"""The optimization loop: render the pictures, apply transforms, evaluate the objective, take a gradient step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.net import Net
from pellucid.progress import preview, steps
from pellucid.render.batch import Batch
from pellucid.render.frame import Frame
from pellucid.render.objectives import Objective
from pellucid.render.recipes import Recipe

Watch = Callable[[int, Callable[[], Tensor]], None]
"""watch(step, pictures): called after each step; the pictures are only made if they are asked for."""


def optimized(
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
    none depends on another, unless the objective lets each `together` neighbors: they stay in one batch. `credit`
    receives for each batch Σ |gradient| over colors, looks and steps, (n, H, W).
    """
    parts = []
    batches = _batches(objective, len(chance), max(net.chunk(frame.canvas, grad=True) // together, 1) * together)
    for which in steps(batches, f"{what}: batches") if len(batches) > 1 else batches:
        work = Batch(net, objective.part(which), recipe, frame, chance[which], None if begin is None else begin[which])
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
    """Neighbors that ask about the same layers, so that each pass ends as early as its own objective allows."""
    alone = [objective.part(slice(i, i + 1)) for i in range(count)]
    reads = [(one.reads_output, one.layers) for one in alone]
    starts = [i for i in range(count) if i == 0 or reads[i] != reads[i - 1]]
    ends = [*starts[1:], count]
    return [slice(i, min(i + at_once, e)) for s, e in zip(starts, ends, strict=True) for i in range(s, e, at_once)]
