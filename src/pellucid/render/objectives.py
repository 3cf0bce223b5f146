"""Objectives: what is raised, one number for each picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net import Net, Run
from pellucid.render.sizes import native_size
from pellucid.target import Sum, Target, Targets, Top, scored


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


def streams(seed: int, targets: Sequence[Target], count: int) -> Iterator[tuple[int | str, ...]]:
    """The random numbers of `count` pictures for each target: they depend on the target and not on its neighbors."""
    for target in targets:
        for i in range(count):
            yield seed, str(target), i


def without_picture(targets: Targets) -> None:
    """Raise Refused for a target that is taken from a picture: a synthesis begins with none."""
    for target in targets:
        for _, part in target.parts if isinstance(target, Sum) else ((1, target),):
            if isinstance(part, Top):
                raise Refused(
                    f"target {str(target)!r}: there is no image yet that the network could guess about; "
                    "name a class, or a unit as LAYER:UNIT"
                )


def answerable(net: Net, targets: Targets) -> None:
    """Raise for a target that cannot be asked of this network, before an hour is spent on its neighbors."""
    without_picture(targets)
    size = net.preprocess.size or native_size(net)
    run = net.run(torch.full((1, net.preprocess.channels or 3, *size), 0.5), layers=targets.layers)
    for target in targets:
        with suppress(Refused):  # there may be nothing of it in a gray picture
            target(run)
