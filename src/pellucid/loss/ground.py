"""What a landscape is measured on: a network, images, the norms' policy, and directions from its weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.checks import of_center
from pellucid.loss.directions import Direction, drawn, normalized
from pellucid.loss.labeled import BATCH, LabeledBatches, labeled, settled
from pellucid.loss.lanczos import eigenvectors
from pellucid.loss.points import Places
from pellucid.loss.products import Curved
from pellucid.loss.weights import Moved, Vector, plain, weights_of
from pellucid.net import Net
from pellucid.net.identity import machine, sha256
from pellucid.net.norms import Norms, has_norms
from pellucid.result import Check, Line
from pellucid.resume import Coordinates, kept
from pellucid.target import Target

MEASURES = ("loss", "accuracy")
QUANTITIES = {"loss": "loss, nats", "accuracy": "accuracy"}


@dataclass(frozen=True, eq=False)
class Ground:
    """A network with plain weights, its images (`sets`: those of training, then others), and the norms' policy."""

    net: Net
    sets: tuple[LabeledBatches, ...]
    norms: Norms
    identity: str = ""
    """Of the data, in their order."""
    normed: bool = True
    """Whether the network has batch norms at all."""
    target: Target | None = None
    """What is measured besides loss and accuracy."""

    @classmethod
    def of(cls, net: Net, data: Data, test: Data | None, norms: Norms, target: Target | None = None) -> Ground:
        """Images are read here. PellucidError where the data has no classes of the network."""
        net = settled(plain(net), data)
        batch = BATCH if norms in ("batch", "reestimated") else None
        named = [("train", data), ("test", test)] if test is not None else [("", data)]
        sets = tuple(labeled(net, one, name, batch) for name, one in named if one is not None)
        normed = has_norms(net, sets[0].pixels[0][:2])
        identity = json.dumps([one.identity for _, one in named if one is not None])
        if not normed and norms != "interpolated":
            norms = "frozen"  # the same, for half of the passes
        return cls(net, sets, norms, identity, normed, target)

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """Every parameter by its name."""
        return weights_of(self.net)

    def said(self, norms: Norms) -> str:
        """The policy as it stands in Meta and on every picture."""
        return norms if self.normed else "none"

    @property
    def measures(self) -> tuple[str, ...]:
        """What is measured at a place: loss, accuracy and the target; those of more images with their name before."""
        each = MEASURES if self.target is None else (*MEASURES, str(self.target))
        return tuple(f"{some.name} {one}".strip() for some in self.sets for one in each)

    def directions(self, how: Direction, seed: int, count: int) -> list[dict[str, Tensor]]:
        """The first `count` directions of a kind, on the scale that is asked for."""
        if how.kind == "random":
            return drawn(self.net, self.weights, how, seed, count)
        if how.kind == "networks":
            raise PellucidError(
                "direction='networks': `plane` has axes through three networks, `between` a line through two"
            )
        if how.kind == "gradient":
            if count > 1:
                raise PellucidError("direction='gradient': there is one gradient, so it makes a line and no plane")
            raw = [Curved.of(self.net, self.sets[0]).gradient()]
        else:
            raw = eigenvectors(Curved.of(self.net, self.sets[0]), count, seed, smallest=how.kind == "smallest")
        alike = [{key: one.to(self.weights[key].dtype) for key, one in vector.items()} for vector in raw]
        return [normalized(one, self.weights, self.net, how) for one in alike]

    def at(self, directions: Sequence[Vector], start: Vector | None = None) -> Callable[[Coordinates], Floats]:
        """What is measured at coordinates along these directions: (sets, 4), as `Places.at` has it."""
        places = Places(Moved(self.net, list(directions), start), self.sets, self.norms, self.target)
        asked = [] if self.target is None else [self.target.identity]
        return self.kept((*directions, start or {}), places.at, *asked)

    def kept(
        self, vectors: Sequence[Vector], measure: Callable[[Coordinates], Floats], *more: str | float | int
    ) -> Callable[[Coordinates], Floats]:
        """What is measured at coordinates, kept where the caller asks for it; it depends on these vectors and `more`,
        besides network, images and norms.
        """

        def identity() -> str:
            moved = [sha256([*one.items()]) for one in vectors]
            return json.dumps([self.net.identity, self.identity, self.norms, moved, machine(self.net), *more])

        return kept(identity, measure)

    def loss_of(self, net: Net) -> float:
        """Of another network of the architecture, over the first images, by the same policy for its norms."""
        other = replace(plain(net), scores=self.net.scores)
        return float(Ground(other, self.sets, self.norms, self.identity).at([])(())[0, 0])

    def lines(self, name: str, points: Floats, found: Floats, group: str = "") -> list[Line]:
        """What was measured (points, sets, 4) as lines, those of other images dashed; those of a group in one color."""
        values, errors = of_measures(found)
        return [
            Line(f"{name}, {measure}", points, values[:, q], errors[:, q] if measure.endswith("loss") else None,
                 QUANTITIES[measure.split()[-1]], "dashed" if measure.startswith("test") else "line", group or name)
            for q, measure in enumerate(self.measures)
        ]  # fmt: skip

    def checks(self, directions: Sequence[Vector], names: Sequence[str], center: float) -> tuple[Check, ...]:
        """Of the value, the slopes and the curvatures at the center."""
        return of_center(self.net, self.sets[0], directions, names, self.norms, center)


def around_one(norms: Norms) -> None:
    """Refuse what mixes two networks."""
    if norms == "interpolated":
        raise PellucidError(
            "norms='interpolated' mixes the statistics of two networks: it is for `between`; around one network "
            "choose frozen, batch or reestimated"
        )


def of_measures(found: Floats) -> tuple[Floats, Floats]:
    """(…, S, 4 or 6) of places as (…, 2 S or 3 S) values and their standard errors, in the order of `measures`."""
    shape, more = (*found.shape[:-2], -1), found.shape[-1] > 4
    values = found[..., [0, 2, 4] if more else [0, 2]].reshape(shape)
    errors = found[..., [1, 1, 5] if more else [1, 1]].copy()
    errors[..., 1] = 0.0
    return values, errors.reshape(shape)
