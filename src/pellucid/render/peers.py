"""Peers: the units that a target's unit is ranked among, and its place there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from pellucid.net import Net, Run
from pellucid.target import Channel, Logit, Neuron, Output, Probability, Sum, Target
from pellucid.target.units import over_places


@final
@dataclass(frozen=True)
class Peers:
    """The same number of every channel of a layer, or of every class: what a unit is ranked among.

    `what` is mean or max over places, or one cell (y, x). Without a layer the network's scores.
    """

    layer: str | None
    what: str | tuple[int, int] = "mean"

    def __call__(self, run: Run) -> Float[Tensor, "n channels"]:
        """(N, channels)."""
        if self.layer is None:
            return run.scores
        values = run[self.layer]
        if isinstance(self.what, tuple):
            return values[(slice(None), slice(None), *self.what)]
        return values.flatten(2).amax(2) if self.what == "max" and values.dim() > 2 else over_places(values)


@final
@dataclass(frozen=True)
class Place:
    """Where a unit stands among its peers; `sign` is −1 where the target wants it low."""

    peers: Peers
    index: int
    sign: int = 1

    @classmethod
    def of(cls, target: Target, net: Net) -> Place | None:
        """None for what is no single unit: sums, directions, energies, boxes, words."""
        if isinstance(target, Sum) and len(target.parts) == 1:
            weight, part = target.parts[0]
            found = cls.of(part, net)
            return found and cls(found.peers, found.index, found.sign * (1 if weight > 0 else -1))
        if isinstance(target, Channel):
            return cls(Peers(target.layer, "max" if target.reduce == "max" else "mean"), target.index)
        if isinstance(target, Neuron):
            return cls(Peers(target.layer, (target.y, target.x)), target.index)
        if isinstance(target, (Logit, Probability)) and not net.binary:
            return cls(Peers(None), net.class_index(target.of_class))
        if isinstance(target, Output) and len(target.index) == 1:
            return cls(Peers(None), target.index[0])
        return None

    def lowest(self, run: Run) -> float:
        """The least that the unit says anywhere: whether it can be negative."""
        values = run.scores if self.peers.layer is None else run[self.peers.layer]
        return float(values[:, self.index].min())
