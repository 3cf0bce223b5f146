"""Classes and other numbers of the output: a logit, its probability, the best guess, any entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import UnknownName
from pellucid.net import Net, Run
from pellucid.target.base import Target

ClassName = str | int
"""A class by name, WordNet id or number."""


def of_class(run: Run, scores: Tensor, asked: ClassName) -> Tensor:
    """What `scores` (N, classes, …) say of a class, (N, …); the two labels of a one-logit network are its two signs."""
    index = run.net.class_index(asked)
    if run.net.labels is not None and len(run.net.labels) == 2 and scores.shape[1] == 1 and 0 <= index <= 1:
        return scores[:, 0] if index else -scores[:, 0]
    if not 0 <= index < scores.shape[1]:
        raise UnknownName(
            f"no class {asked!r}: {run.net.name} has {scores.shape[1]} outputs, 0 to {scores.shape[1] - 1}"
        )
    return scores[:, index]


def class_named(net: Net, asked: ClassName) -> str:
    """The proper name of what was asked for."""
    return net.class_name(net.class_index(asked))


@final
@dataclass(frozen=True)
class Logit(Target):
    """The score of a class before softmax. For a one-logit network with two labels: ± that logit."""

    of_class: ClassName

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return of_class(run, run.scores, self.of_class)

    def __str__(self) -> str:
        return str(self.of_class)

    def named(self, net: Net) -> Target:
        """Under the class's proper name."""
        return replace(self, of_class=class_named(net, self.of_class))


@final
@dataclass(frozen=True)
class Probability(Target):
    """The softmax probability of a class; the sigmoid where the network has one logit."""

    of_class: ClassName
    unit = "probability"

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        column = of_class(run, run.scores, self.of_class)
        if run.scores.shape[1] == 1:
            return column.sigmoid()
        return (column - run.scores.logsumexp(dim=1)).exp()

    def __str__(self) -> str:
        return f"p({self.of_class})"

    def named(self, net: Net) -> Target:
        """Under the class's proper name."""
        return replace(self, of_class=class_named(net, self.of_class))


@final
@dataclass(frozen=True)
class Loss(Target):
    """The cross-entropy of a class, in nats: how surprised the network is that it is this one."""

    of_class: ClassName
    unit = "nats"

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if run.scores.shape[1] == 1:
            return F.softplus(-of_class(run, run.scores, self.of_class))
        return run.scores.logsumexp(dim=1) - of_class(run, run.scores, self.of_class)

    def __str__(self) -> str:
        return f"loss({self.of_class})"

    def named(self, net: Net) -> Target:
        """Under the class's proper name."""
        return replace(self, of_class=class_named(net, self.of_class))


@final
@dataclass(frozen=True)
class Top(Target):
    """The logit of the network's own best guess (or the rank-th best), for each image its own."""

    rank: int = 1

    @property
    def depends_on_run(self) -> bool:
        """Which class it is, the network says."""
        return True

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if not 1 <= self.rank <= run.scores.shape[1]:
            raise UnknownName(f"no guess of rank {self.rank}: {run.net.name} has {run.scores.shape[1]} outputs")
        if run.scores.shape[1] == 1:
            return run.scores[:, 0]
        best = run.scores.detach().topk(self.rank, dim=1).indices[:, -1:]
        return run.scores.gather(1, best)[:, 0]

    def __str__(self) -> str:
        return "best guess" if self.rank == 1 else f"guess {self.rank}"

    def fixed(self, run: Run) -> Target:
        """The class that was the guess in this run."""
        if run.scores.shape[1] == 1:
            return self
        return Logit(int(run.scores[0].topk(self.rank).indices[-1]))


BEST = Top()
"""The network's own best guess: what methods explain unless told otherwise."""


@final
@dataclass(frozen=True, init=False)
class Output(Target):
    """One number of an output of any shape, for example of a regression: `Output(3)`, `Output(0, 4)`.

    One index for each dimension after the images; an output (N,) counts as (N, 1).
    """

    index: tuple[int, ...]
    unit = "output"

    def __init__(self, *index: int) -> None:
        object.__setattr__(self, "index", index)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        output = run.output[:, None] if run.output.dim() == 1 else run.output
        sizes = output.shape[1:]
        if len(sizes) != len(self.index) or not all(0 <= i < size for i, size in zip(self.index, sizes, strict=True)):
            last = ",".join(str(size - 1) for size in sizes)
            raise UnknownName(
                f"no output {self}: {run.net.name} gives {'×'.join(map(str, sizes))} numbers per image, "
                f"out[{','.join('0' for _ in sizes)}] to out[{last}]"
            )
        for i in self.index:
            output = output[:, i]
        return output

    def __str__(self) -> str:
        return f"out[{','.join(map(str, self.index))}]"
