"""What is asked of a network: one number for each image, made from its outputs or from a layer.

Targets are values: they add, subtract, scale, hash, compare and pickle, and they know names only; which class
a name means is decided when the network has run.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, UnknownName
from pellucid.net import Net, Run

ClassName = str | int
"""A class by name, WordNet id or number."""

_UNIT = re.compile(r"(?P<layer>[\w.#-]+):(?P<unit>\d+)(?:@(?P<y>\d+),(?P<x>\d+))?")
_PROBABILITY = re.compile(r"p\((?P<of>.+)\)")


class Target(ABC):
    """A question with a number for an answer: `target(run)` gives (N,) scores, differentiable."""

    layers: tuple[str, ...] = ()
    """The layers whose activations the target reads: pass them to `net.run(at=...)`."""
    unit = "logit"
    """What one unit of the number is."""

    @abstractmethod
    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        """(N,) scores."""

    @abstractmethod
    def __str__(self) -> str:
        """As a person would write it."""

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"target": str(self)}

    def __add__(self, other: Target) -> Target:
        return _combined(self, other, 1.0)

    def __sub__(self, other: Target) -> Target:
        return _combined(self, other, -1.0)

    def __mul__(self, factor: float | int) -> Target:
        return Sum(tuple((weight * factor, part) for weight, part in _parts(self)))

    __rmul__ = __mul__

    def __neg__(self) -> Target:
        return self * -1.0

    @classmethod
    def of(cls, value: Any) -> Target:
        """A target from what a person would say.

        A class by name, number or WordNet id -> its logit; `p(boxer)` -> its probability; `boxer - tiger cat` ->
        the difference; `layer4:151` -> a channel's mean, `layer4:151@3,4` -> one cell; None -> the network's
        own best guess. A guess of `net.top` stands for its class.
        """
        if isinstance(value, Target):
            return value
        if value is None:
            return BEST
        if isinstance(value, str):
            return _parse(value)
        index = getattr(value, "index", value)
        if isinstance(index, int) and not isinstance(index, bool):
            return Logit(index)
        raise PellucidError(f"no target {value!r}: give a class by name or number, 'layer:unit', or a pellucid.target")


def _parse(text: str) -> Target:
    text = text.strip()
    if not text:
        raise PellucidError("the target is empty: give a class by name or number, or 'layer:unit'")
    # A minus between spaces: class names have hyphens, but not lonely ones.
    for sign in (" - ", " + "):
        left, found, right = text.rpartition(sign)
        if found:
            return _parse(left) - _parse(right) if sign == " - " else _parse(left) + _parse(right)
    if match := _PROBABILITY.fullmatch(text):
        return Probability(_class(match["of"]))
    if match := _UNIT.fullmatch(text):
        if match["y"] is not None:
            return Neuron(match["layer"], int(match["unit"]), int(match["y"]), int(match["x"]))
        return Channel(match["layer"], int(match["unit"]))
    return Logit(_class(text))


def _class(text: str) -> ClassName:
    return int(text) if text.strip().isdecimal() else text.strip()


def _column(run: Run, asked: ClassName) -> Float[Tensor, " n"]:
    """The (N,) logits of a class; the two labels of a one-logit network are its two signs."""
    scores, index = run.scores, run.net.class_index(asked)
    if run.net.labels is not None and len(run.net.labels) == 2 and scores.shape[1] == 1 and 0 <= index <= 1:
        return scores[:, 0] if index else -scores[:, 0]
    if not 0 <= index < scores.shape[1]:
        raise UnknownName(
            f"no class {asked!r}: {run.net.name} has {scores.shape[1]} outputs, 0 to {scores.shape[1] - 1}"
        )
    return scores[:, index]


@final
@dataclass(frozen=True)
class Logit(Target):
    """The score of a class before softmax. For a one-logit network with two labels: ± that logit."""

    of_class: ClassName

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return _column(run, self.of_class)

    def __str__(self) -> str:
        return str(self.of_class)


@final
@dataclass(frozen=True)
class Probability(Target):
    """The softmax probability of a class; the sigmoid where the network has one logit."""

    of_class: ClassName
    unit = "probability"

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        column = _column(run, self.of_class)
        if run.scores.shape[1] == 1:
            return column.sigmoid()
        return (column - run.scores.logsumexp(dim=1)).exp()

    def __str__(self) -> str:
        return f"p({self.of_class})"


@final
@dataclass(frozen=True)
class Top(Target):
    """The logit of the network's own best guess (or the rank-th best), for each image its own."""

    rank: int = 1

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if not 1 <= self.rank <= run.scores.shape[1]:
            raise UnknownName(f"no guess of rank {self.rank}: {run.net.name} has {run.scores.shape[1]} outputs")
        if run.scores.shape[1] == 1:
            return run.scores[:, 0]
        best = run.scores.detach().topk(self.rank, dim=1).indices[:, -1:]
        return run.scores.gather(1, best)[:, 0]

    def __str__(self) -> str:
        return "best guess" if self.rank == 1 else f"guess {self.rank}"


BEST = Top()
"""The network's own best guess: what methods explain unless told otherwise."""


@final
@dataclass(frozen=True)
class Channel(Target):
    """The mean (or max, or sum) over places of one channel of a layer; a unit of a layer without places."""

    layer: str
    index: int
    reduce: Literal["mean", "max", "sum"] = "mean"
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        places = _unit(run, self.layer, self.index)
        places = places.reshape(len(places), -1)
        return places.amax(1) if self.reduce == "max" else places.sum(1) if self.reduce == "sum" else places.mean(1)

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"


@final
@dataclass(frozen=True)
class Neuron(Target):
    """One cell (y, x) of one channel of a layer."""

    layer: str
    index: int
    y: int
    x: int
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        places = _unit(run, self.layer, self.index)
        rows, columns = places.shape[1:] if places.dim() == 3 else (0, 0)
        if not (0 <= self.y < rows and 0 <= self.x < columns):
            raise UnknownName(f"no cell {self.y},{self.x} in layer {self.layer!r}: its maps are {rows} × {columns}")
        return places[:, self.y, self.x]

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}@{self.y},{self.x}"


@final
@dataclass(frozen=True)
class Direction(Target):
    """The mean over places of ⟨activation, vector⟩: one number per channel of the layer."""

    layer: str
    vector: tuple[float | int, ...]
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        activation = run[self.layer]
        if activation.shape[1] != len(self.vector):
            raise PellucidError(
                f"a direction of {len(self.vector)} numbers in layer {self.layer!r}, "
                f"which has {activation.shape[1]} channels"
            )
        means = activation.flatten(2).mean(2) if activation.dim() > 2 else activation
        return means @ means.new_tensor(self.vector)

    def __str__(self) -> str:
        return f"direction in {self.layer}"


@final
@dataclass(frozen=True)
class Loss(Target):
    """The cross-entropy of a class, in nats: how surprised the network is that it is this one."""

    of_class: ClassName
    unit = "nats"

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        if run.scores.shape[1] == 1:
            return F.softplus(-_column(run, self.of_class))
        return run.scores.logsumexp(dim=1) - _column(run, self.of_class)

    def __str__(self) -> str:
        return f"loss({self.of_class})"


@final
@dataclass(frozen=True)
class Sum(Target):
    """A weighted sum of targets."""

    parts: tuple[tuple[float | int, Target], ...]

    @property
    def layers(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(dict.fromkeys(layer for _, part in self.parts for layer in part.layers))

    @property
    def unit(self) -> str:  # type: ignore[override]
        return " and ".join(dict.fromkeys(part.unit for _, part in self.parts))

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return torch.stack([weight * part(run) for weight, part in self.parts]).sum(0)

    def __str__(self) -> str:
        text = ""
        for weight, part in self.parts:
            size = "" if abs(weight) == 1 else f"{abs(weight):g} × "
            sign = (" - " if weight < 0 else " + ") if text else ("-" if weight < 0 else "")
            text += f"{sign}{size}{part}"
        return text


def named(target: Target, net: Net) -> Target:
    """The same target with every class under its proper name, for people to read."""
    if isinstance(target, Sum):
        return Sum(tuple((weight, named(part, net)) for weight, part in target.parts))
    if isinstance(target, Logit | Probability | Loss):
        return replace(target, of_class=net.class_name(net.class_index(target.of_class)))
    return target


def fixed(target: Target, run: Run) -> Target:
    """The same target with 'best guess' replaced by what the best guess was in this run of one image.

    For whoever changes the image afterwards and still asks about the same class.
    """
    if isinstance(target, Sum):
        return Sum(tuple((weight, fixed(part, run)) for weight, part in target.parts))
    if isinstance(target, Top) and run.scores.shape[1] > 1:
        return Logit(int(run.scores[0].topk(target.rank).indices[-1]))
    return target


def _unit(run: Run, layer: str, index: int) -> Tensor:
    activation = run[layer]
    channels = activation.shape[1] if activation.dim() > 1 else 0
    if not 0 <= index < channels:
        raise UnknownName(f"no unit {index} in layer {layer!r}: it has {channels}, 0 to {channels - 1}")
    return activation[:, index]


def _parts(target: Target) -> tuple[tuple[float | int, Target], ...]:
    return target.parts if isinstance(target, Sum) else ((1.0, target),)


def _combined(a: Target, b: Target, sign: float) -> Target:
    return Sum(_parts(a) + tuple((sign * weight, part) for weight, part in _parts(b)))
