"""What every target is: a value with a number for an answer, that adds, subtracts and scales."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.net import Net, Run
from pellucid.nouns import Noun
from pellucid.result import Prediction
from pellucid.target.forms import Written

ClassName = str | int
"""A class by name, WordNet id or number; text that is a number is a name where a class has it."""
Named = Callable[[str], ClassName]
"""What a person writes for a class as a target has it."""


@dataclass(frozen=True)
class Peer:
    """One of many numbers that can be compared: channel `index` of a layer, or of the output where that is None."""

    layer: str | None
    index: int
    what: Literal["mean", "max"] | tuple[int, int] = "mean"
    """Over the places of a layer, or its one cell (y, x)."""
    sign: int = 1
    """−1 where the target wants it low."""


class Target(Noun, ABC):
    """A question with a number for an answer: `target(run)` gives (N,) scores, differentiable."""

    written, flags, samples, format = "TARGET", ("-t", "--target"), ("giant panda", "koala"), "target"
    apart = by_network = True
    help = Written()
    if TYPE_CHECKING:  # a class may have them fixed, each target its own, or a property may find them

        @property
        def layers(self) -> tuple[str, ...]:
            """The layers whose activations the target reads: pass them to `net.run(layers=...)`."""

    else:
        layers: tuple[str, ...] = ()
    unit = "score"
    """What one unit of the number is, whatever the network."""

    @property
    def reads_output(self) -> bool:
        """Whether the network's output is needed too, besides those layers."""
        return not self.layers

    @property
    def depends_on_run(self) -> bool:
        """Whether its name for one image is known only when the network has run: which class the best guess is."""
        return False

    @abstractmethod
    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        """(N,) scores."""

    @abstractmethod
    def __str__(self) -> str:
        """As a person would write it."""

    def unit_of(self, net: Net) -> str:
        """What one unit of the number is for this network, after it has run."""
        return self.unit

    def named(self, net: Net) -> Target:
        """The same target with every class under its proper name, for people to read."""
        return self

    def fixed(self, run: Run, image: int = 0) -> Target:
        """The same target with all that it takes from the image itself taken from one image of this run.

        'Best guess' becomes what the best guess was, a region the pixels that it had. For whoever changes the
        image afterwards and still asks about the same.
        """
        return self

    @property
    def class_names(self) -> tuple[ClassName, ...]:
        """The classes that it names."""
        return ()

    @property
    def class_asked(self) -> ClassName | None:
        """The class whose score, among those of all classes, it is about; None where it is about something else."""
        return None

    def peer(self, net: Net) -> Peer | None:
        """The unit that it is, among its peers; None for what is no single unit: sums, directions, boxes, words."""
        return None

    def followed(self, net: Net, matrix: Float[np.ndarray, "3 3"]) -> Target:
        """The same question of an image seen from elsewhere: a cell moves with what it saw, everything else stays.

        `matrix` takes homogeneous (x, y, 1) of the changed image, in pixels from the middle of the network's input,
        to those of the unchanged one.
        """
        return self

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Target | None:
        """What the text `name(inside)` means; of a form without brackets `name` is empty, and `inside` the whole text.

        `of` makes a class of what is written for one. None where this kind is not written so.
        """
        return None

    @classmethod
    def exact(cls, text: str, net: Net) -> Target | None:
        """What a text means that names something of this network letter by letter: it comes before all grammar."""
        return None

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"target": str(self)}

    @property
    def identity(self) -> str:
        """All its parts: two functions of one name differ, and so do two images of one name."""
        found = {one.name: _identity(getattr(self, one.name)) for one in dataclasses.fields(self) if one.compare}  # type: ignore[arg-type]
        return f"{type(self).__name__}{found}"

    def plain(self) -> Any:
        """Its text, where that says all of it."""
        text = str(self)
        try:
            same = Target.of(text) == self
        except PellucidError:
            same = False
        return text if same else str(super().plain())

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
    def of(cls, value: TargetLike, net: Net | None = None) -> Target:
        """A target from what a person would say; with `net`, names of its classes and layers come before all else.

        None is the network's own best guess; a guess of `net.top` stands for its class; a function of a `Run` is what
        it gives: `lambda run: run.output[:, 1]`. Text is one of these forms, or sums and multiples of them, such as
        `boxer - tiger cat`, `0.5 × p(boxer) + p(bull mastiff)`, `-out[0]`:
        """
        from pellucid.target.grammar import target_of  # here, because the grammar knows every kind of target

        return target_of(value, net)

    @classmethod
    def made(cls, value: Any, net: Any) -> Target:
        """With its classes and layers at hand."""
        return cls.of(value, net)


@final
@dataclass(frozen=True)
class Sum(Target):
    """A weighted sum of targets."""

    parts: tuple[tuple[float | int, Target], ...]

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layer for _, part in self.parts for layer in part.layers))

    @property
    def reads_output(self) -> bool:
        """Whether a part reads the output."""
        return any(part.reads_output for _, part in self.parts)

    @property
    def depends_on_run(self) -> bool:
        """Whether a part does."""
        return any(part.depends_on_run for _, part in self.parts)

    @property
    def unit(self) -> str:  # type: ignore[override]
        return " and ".join(dict.fromkeys(part.unit for _, part in self.parts))

    def unit_of(self, net: Net) -> str:
        """Those of its parts."""
        return " and ".join(dict.fromkeys(part.unit_of(net) for _, part in self.parts))

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return torch.stack([weight * part(run) for weight, part in self.parts]).sum(0)

    def __str__(self) -> str:
        text = ""
        for weight, part in self.parts:
            bare = abs(weight) == 1 and (text or weight > 0 or not str(part).isdecimal())  # -1 would be a number
            size = "" if bare else f"{abs(weight):g} × "
            sign = (" - " if weight < 0 else " + ") if text else ("-" if weight < 0 else "")
            text += f"{sign}{size}{part}"
        return text

    @property
    def class_names(self) -> tuple[ClassName, ...]:
        """Those of its parts."""
        return tuple(name for _, part in self.parts for name in part.class_names)

    def peer(self, net: Net) -> Peer | None:
        """Of one part that of the part, which a negative weight wants low."""
        if len(self.parts) != 1:
            return None
        weight, part = self.parts[0]
        found = part.peer(net)
        return found and dataclasses.replace(found, sign=found.sign * (1 if weight > 0 else -1))

    def followed(self, net: Net, matrix: Float[np.ndarray, "3 3"]) -> Target:
        """Every part by itself."""
        return Sum(tuple((weight, part.followed(net, matrix)) for weight, part in self.parts))

    def named(self, net: Net) -> Target:
        """Every part under its proper name."""
        return Sum(tuple((weight, part.named(net)) for weight, part in self.parts))

    def fixed(self, run: Run, image: int = 0) -> Target:
        """Every part as it was in this run."""
        return Sum(tuple((weight, part.fixed(run, image)) for weight, part in self.parts))


@final
@dataclass(frozen=True)
class Targets(Noun):
    """Several targets, each for an image of its own: what a method takes that answers many questions at once."""

    written, flags, samples = Target.written, Target.flags, Target.samples
    help = Written()
    format = "target"
    many = by_network = True
    parts: tuple[Target, ...]

    @classmethod
    def of(cls, value: TargetsLike, net: Net | None = None) -> Targets:
        """From one target, or a list of them, as `Target.of` reads each."""
        if isinstance(value, Targets):
            return value
        many = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        if not many:
            raise PellucidError("the list of targets is empty")
        return cls(tuple(Target.of(one, net) for one in many))

    @classmethod
    def made(cls, value: Any, net: Any) -> Targets:
        """Each with its classes and layers at hand."""
        return cls.of(value, net)

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that they read."""
        return tuple(dict.fromkeys(layer for part in self.parts for layer in part.layers))

    @property
    def reads_output(self) -> bool:
        """Whether one of them reads the output."""
        return any(part.reads_output for part in self.parts)

    @property
    def title(self) -> str:
        """The text of each."""
        return "; ".join(map(str, self.parts))

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"target": "; ".join(map(str, self.parts))}

    @property
    def identity(self) -> str:
        """Of each, in their order."""
        return str(_identity(self.parts))

    def plain(self) -> list[Any]:
        """The text of each."""
        return [part.plain() for part in self.parts]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Target]:
        return iter(self.parts)


TargetLike: TypeAlias = Target | str | SupportsIndex | Prediction | Callable[[Run], Tensor] | None
"""A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a
function of a run; None is the best guess.
"""
TargetsLike: TypeAlias = Targets | TargetLike | Sequence[TargetLike]
"""Several targets, or one: each as `Target.of` reads it."""


def scored(target: Target, run: Run) -> Float[Tensor, " n"]:
    """The target's (N,) scores, checked."""
    scores = target(run)
    one_for_each(target, run, scores)
    if not torch.isfinite(scores.detach()).all():
        if torch.isneginf(scores.detach()).any() and not scores.detach().isnan().any():
            raise Refused(f"the score of {target} is −infinity: {run.net.name} masks it, there is nothing to explain")
        raise BadNetwork(
            f"the score of {target} is not finite: the weights of {run.net.name} hold NaN or infinity, or overflow"
        )
    return scores


def one_for_each(target: Target, run: Run, scores: Any) -> None:
    """Refuse what is not one number for each image: somebody's own target, or a network that returns more rows."""
    if not isinstance(scores, Tensor) or not scores.is_floating_point():
        kind = f"a tensor of {scores.dtype}" if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
        raise PellucidError(f"the target {target} gave {kind}: it must give a tensor of floats, one for each image")
    if scores.dim() != 1 or (run.images is not None and len(scores) != run.images):
        shape = "×".join(map(str, scores.shape)) or "no"
        images = run.images if run.images is not None else "some"
        raise PellucidError(f"the target {target} gave {shape} numbers for {images} images: one for each, (N,)")


def named(target: Target, net: Net) -> Target:
    """The same target with every class under its proper name, for people to read."""
    return target.named(net)


def fixed(target: Target, run: Run) -> Target:
    """The same target with all that it takes from the image itself taken from this run of one image.

    For whoever changes the image afterwards and still asks about the same: 'best guess' becomes what the best
    guess was, a region the pixels that it had.
    """
    return target.fixed(run)


def resolved(target: Target, run: Run) -> tuple[Target, ...]:
    """What the target is called for each image of a run; empty where that does not depend on the run.

    Only what its name depends on is fixed: nothing runs for it.
    """
    if not target.depends_on_run:
        return ()
    return tuple(_resolved(target, run, image) for image in range(len(run.output)))


def _resolved(target: Target, run: Run, image: int) -> Target:
    if not target.depends_on_run:
        return target
    if isinstance(target, Sum):
        return Sum(tuple((weight, _resolved(part, run, image)) for weight, part in target.parts))
    return target.fixed(run, image)


def _identity(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_identity(one) for one in value]
    return value.identity if isinstance(value, Noun) else repr(value)


def _parts(target: Target) -> tuple[tuple[float | int, Target], ...]:
    return target.parts if isinstance(target, Sum) else ((1.0, target),)


def _combined(a: Target, b: Target, sign: float) -> Target:
    return Sum(_parts(a) + tuple((sign * weight, part) for weight, part in _parts(b)))
