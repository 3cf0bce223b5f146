"""One image, many changes of what one of its layers hands on: what comes before it runs once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor, cat

from pellucid.errors import PellucidError
from pellucid.net import apart
from pellucid.net.run import Run
from pellucid.net.tap import Edit

if TYPE_CHECKING:
    from pellucid.net import Net


@dataclass(frozen=True, eq=False)
class Onward:
    """Passes of one image (1, C, H, W) in which `layer` hands on several activations; `layers` are wanted as well."""

    net: Net
    pixels: Tensor
    layer: str
    layers: Sequence[str] = ()

    def run(self, rows: int, edit: Edit) -> Run:
        """The run that goes on with `edit` of the layer's output: one row or `rows` of them in, (rows, …) out."""
        return self._shared(rows, edit) if self.shares else self._whole(rows, edit)

    @property
    def at_once(self) -> int:
        """How many rows fit the memory budget."""
        return self.net.chunk(self._size, grad=False, after=self.layer if self.shares else None)

    @cached_property
    def shares(self) -> bool:
        """Whether what comes before the layer may run for one row alone: tried with the output as it is and changed.

        Not every network can: one that joins this output to an earlier map wants as many rows of that one.
        """
        if apart.alone(self.net, self._size):
            return False
        try:
            both = self._shared(2, lambda output: cat([output[:1], output[:1].flip(1)]))
        except PellucidError:
            return False
        ones = [self._whole(1, edit) for edit in (Tensor.clone, lambda output: output.flip(1))]
        return apart.alike(*((run.returned, dict(run.at)) for run in (both, *ones)))

    def _shared(self, rows: int, edit: Edit) -> Run:
        return replace(self.net.run(self.pixels, layers=self.layers, edit={self.layer: edit}), images=rows)

    def _whole(self, rows: int, edit: Edit) -> Run:
        many = self.pixels.expand(rows, *self.pixels.shape[1:])
        return self.net.run(many, layers=self.layers, edit={self.layer: edit})

    @property
    def _size(self) -> tuple[int, int]:
        return (self.pixels.shape[-2], self.pixels.shape[-1])
