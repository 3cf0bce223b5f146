"""A kind of target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from pellucid.net import Run
from pellucid.target.base import Named, Target
from pellucid.target.forms import target


@target("spread(LAYER)", examples=("spread(blocks.4)",), help="the standard deviation of all activations of a layer")
@final
@dataclass(frozen=True)
class Spread(Target):
    """The standard deviation of a layer's activations."""

    layer: str
    unit = "activation"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Spread | None:
        """`spread(layer4)`."""
        return cls(inside) if name and inside else None

    @property
    def layers(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return run[self.layer].flatten(1).std(1)

    def __str__(self) -> str:
        return f"spread({self.layer})"
