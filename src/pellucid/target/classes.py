"""Classes and other numbers of the output: the score of a class, its probability, the best guess, any entry."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, final

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused, UnknownName
from pellucid.net import Net, Run, outputs, returned
from pellucid.net.meaning import LABELS, Meaning
from pellucid.target.base import ClassName, Named, Peer, Target
from pellucid.target.forms import target

_OUTPUT = re.compile(r"out\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_GUESS = re.compile(r"best guess|guess (?P<rank>\d+)")
Own = TypeVar("Own", bound="OfClass")


@dataclass(frozen=True)
class OfClass(Target):
    """A target about one class."""

    of_class: ClassName

    def __post_init__(self) -> None:
        if not isinstance(self.of_class, str):  # numpy's numbers, and tensors with one
            object.__setattr__(self, "of_class", returned.whole_number(self.of_class, "class"))

    @classmethod
    def read(cls: type[Own], name: str, inside: str, of: Named) -> Own | None:
        """Of the class in the brackets."""
        return cls(of(inside)) if name and inside else None

    @property
    def class_names(self) -> tuple[ClassName, ...]:
        """The one."""
        return (self.of_class,)

    def named(self, net: Net) -> Target:
        """Under the class's proper name."""
        return replace(self, of_class=class_named(net, self.of_class))


def of_class(run: Run, scores: Tensor, asked: ClassName) -> Tensor:
    """What `scores` (N, classes, …) say of a class, (N, …); the two labels of a one-number network share it."""
    labels, index = run.net.labels, run.net.class_index(asked)
    two = labels is not None and len(labels) == 2 and scores.shape[1] == 1
    found = outputs.column(scores, index, run.net.meaning, two)
    if found is None:
        raise _no_class(run, asked, scores.shape[1])
    return found


def class_named(net: Net, asked: ClassName) -> str:
    """The proper name of what was asked for."""
    return net.class_name(net.class_index(asked))


def _no_class(run: Run, asked: ClassName, count: int) -> UnknownName:
    return UnknownName(f"no class {asked!r}: {run.net.name} has {count} outputs, 0 to {count - 1}")


def _of(run: Run, found: Tensor, asked: ClassName) -> Tensor:
    """The column of a class in (N, classes)."""
    index = run.net.class_index(asked)
    if not 0 <= index < found.shape[1]:
        raise _no_class(run, asked, run.scores.shape[1])
    return found[:, index]


@target("CLASS", examples=("tiger cat", "282", "n02123159"), help="the logit of a class")
@final
@dataclass(frozen=True)
class Logit(OfClass):
    """The network's own number for a class: its logit, as a rule. A one-logit network with two labels: ± that logit.

    Where the network ends in softmax or sigmoid it is the probability itself, and its unit says so.
    """

    @property
    def class_asked(self) -> ClassName | None:
        """The one."""
        return self.of_class

    def peer(self, net: Net) -> Peer | None:
        """Its class among all; a network with two labels for one number has no others."""
        return None if net.binary else Peer(None, net.class_index(self.of_class))

    @classmethod
    def exact(cls, text: str, net: Net) -> Logit | None:
        """The class of exactly this name, whatever letters are in it."""
        return cls(text) if net.labels is not None and net.labels.knows(text) else None

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return of_class(run, run.scores, self.of_class)

    def __str__(self) -> str:
        return str(self.of_class)

    def plain(self) -> Any:
        """A number as a number: as text it would be the class of that name first."""
        return super().plain() if isinstance(self.of_class, str) else self.of_class

    def unit_of(self, net: Net) -> str:
        """What the network's numbers are."""
        return net.meaning.unit


@dataclass(frozen=True)
class _Probable(OfClass):
    """A target that depends on what the network's outputs mean."""

    reading: Meaning | None = field(default=None, repr=False, compare=False)
    """As it was fixed for an image, where nothing says what they mean: its changed copies are read as it is."""

    @property
    def class_asked(self) -> ClassName | None:
        """The one."""
        return self.of_class

    def fixed(self, run: Run, image: int = 0) -> Target:
        """With the outputs read as that image's are in this run."""
        if not run.net.meaning.assumed:
            return self
        torn = run.torn
        return replace(self, reading=run.net.meaning if torn is None or not torn[image] else LABELS)


@target("p(CLASS)", examples=("p(tiger cat)",), help="the probability of a class")
@final
@dataclass(frozen=True)
class Probability(_Probable):
    """The probability of a class, by what the outputs mean: softmax of logits, sigmoid of one logit or of labels that
    each stand by themselves. Refused for a regression.
    """

    unit = "probability"

    def peer(self, net: Net) -> Peer | None:
        """That of the class."""
        return Logit(self.of_class).peer(net)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if self.reading is None:
            return _of(run, run.probabilities, self.of_class)
        return _of(run, outputs.probabilities(run.scores, self.reading, run.two), self.of_class)

    def __str__(self) -> str:
        return f"p({self.of_class})"


@target("loss(CLASS)", examples=("loss(tiger cat)",), help="the cross-entropy of a class, in nats")
@final
@dataclass(frozen=True)
class Loss(_Probable):
    """−log p of a class, in nats: the cross-entropy, how surprised the network is that it is this one."""

    unit = "nats"

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if self.reading is None:
            return -_of(run, run.log_probabilities, self.of_class)
        return -_of(run, outputs.log_probabilities(run.scores, self.reading, run.two), self.of_class)

    def __str__(self) -> str:
        return f"loss({self.of_class})"


@target(
    "best guess",
    examples=("best guess", "guess 2"),
    help="the network's own best guess, or its second; nothing said is the best",
)
@final
@dataclass(frozen=True)
class Top(Target):
    """The score of the network's own best guess (or the rank-th best), for each image its own.

    Of a one-logit network with two labels it is that of the label which the sign of the logit says.
    """

    rank: int = 1

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Top | None:
        """`best guess`, or `guess 2`."""
        match = None if name else _GUESS.fullmatch(inside)
        return cls(int(match["rank"] or 1)) if match else None

    @property
    def depends_on_run(self) -> bool:
        """Which class it is, the network says."""
        return True

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        scores = _ranked(run, self.rank)
        if scores.shape[1] == 1:
            return scores[:, 0]
        best = scores.detach().topk(self.rank, dim=1).indices[:, -1:]
        return scores.gather(1, best)[:, 0]

    def __str__(self) -> str:
        return "best guess" if self.rank == 1 else f"guess {self.rank}"

    def unit_of(self, net: Net) -> str:
        """What the network's numbers are."""
        return net.meaning.unit

    def fixed(self, run: Run, image: int = 0) -> Target:
        """The class that was the guess in this run."""
        scores = _ranked(run, self.rank)
        if scores.shape[1] == 1:
            return self
        return Logit(int(scores[image].topk(self.rank).indices[-1]))


def _ranked(run: Run, rank: int) -> Tensor:
    """(N, classes) to choose from; of one output there is nothing to choose, whatever it means.

    Refused for a guess that is not there.
    """
    scores = run.by_class if run.two and run.net.meaning.scores != "regression" else run.scores
    count = scores.shape[1]
    if not 1 <= rank <= count:
        raise UnknownName(f"no guess of rank {rank}: {run.net.name} has {count} outputs")
    if count > 1 and run.net.meaning.scores == "regression":
        raise Refused(
            f"{run.net.name} is a regression, which has no best guess: ask for one of its outputs, "
            f"out[0] to out[{count - 1}]"
        )
    return scores


BEST = Top()
"""The network's own best guess: what methods explain unless told otherwise."""


@target(
    "out[I,J]",
    examples=("out[3]", "out[0,4]"),
    help="one number of an output of any shape: a regression, several heads",
)
@final
@dataclass(frozen=True, init=False)
class Output(Target):
    """One number of an output of any shape, for example of a regression: `Output(3)`, `Output(0, 4)`.

    One index for each dimension after the images; an output (N,) counts as (N, 1).
    """

    index: tuple[int, ...]
    unit = "output"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Output | None:
        """`out[3]`, `out[0,4]`."""
        match = None if name else _OUTPUT.fullmatch(inside)
        return cls(*map(int, match[1].split(","))) if match else None

    def peer(self, net: Net) -> Peer | None:
        """Among the numbers of an output with one for each class."""
        return Peer(None, self.index[0]) if len(self.index) == 1 else None

    def __init__(self, *index: int) -> None:
        object.__setattr__(self, "index", tuple(returned.whole_number(one, "output") for one in index))

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
