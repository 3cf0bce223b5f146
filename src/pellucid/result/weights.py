"""Filters: the weights of convolutions, as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.result.base import Meta, Result, one_of_many


@dataclass(frozen=True, eq=False)
class Filters(Result):
    """Filters of one layer, raw and signed: (F, channels, height, width), channels in the order of the input.

    `units` are the numbers of the filters in their layer, `inputs` those of the input channels that each filter
    reads, (F, channels): with groups not all read the same. `colors` says that the channels are red, green, blue.
    """

    values: Float[np.ndarray, "filters channels height width"]
    units: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    colors: bool = False
    names: tuple[str, ...] = ()
    """What to say under each filter, besides its number."""
    meta: Meta = field(default_factory=Meta)
    each = ("values", "units", "inputs")

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.values.shape))
        return f"Filters({shape}, layer {self.meta.layer or 'unknown'})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Filters:
        """Filter i alone."""
        return self.alone(i, names=self.names[one_of_many(i, len(self), "result")], meta=self.meta)
