"""What statistics of all activations have in common: they look at a few random places of every map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from pellucid.sweep.fold import Fold, Read
from pellucid.sweep.observed import Observes


@dataclass(frozen=True)
class Sampled(Fold[Read]):
    """A fold over the activations at a few places of every map, at even distances from a random one."""

    samples: Annotated[
        int, Field(ge=1, le=1024, description="places of every map that histograms and means are taken over")
    ] = 4

    @property
    def observes(self) -> Observes:
        return Observes(samples=self.samples)
