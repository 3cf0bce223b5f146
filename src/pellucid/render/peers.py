"""Peers: the units that a target's unit is ranked among, and its place there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from pellucid.net import Net, Run
from pellucid.target import Target
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
        found = target.peer(net)
        return None if found is None else cls(Peers(found.layer, found.what), found.index, found.sign)

    def lowest(self, run: Run) -> float:
        """The least that the unit says anywhere: whether it can be negative."""
        values = run.scores if self.peers.layer is None else run[self.peers.layer]
        return float(values[:, self.index].min())
