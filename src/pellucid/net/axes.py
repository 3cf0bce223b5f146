"""Which dimensions of a layer's output are channels, rows and columns: known by the trace, never by their sizes.

Everywhere in Pellucid the activation of a layer is (images, channels, rows, columns) where it is a map of places, and
has its channels second where it is none. What a network keeps otherwise (ConvNeXt's and Swin's images, rows, columns,
channels; a transformer's images, tokens, channels) is turned here, as a view, and turned back for the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.net.receptive import Provenance, Tag


@dataclass(frozen=True)
class Axes:
    """The dimensions of a layer's output; `row` and `column` are None where it has no places.

    They are the same where the places of an image are in one dimension, row by row, as tokens are: `grid` says how
    many rows and columns these are, and `skip` how many tokens come before them that are no places.
    """

    channel: int
    row: int | None = None
    column: int | None = None
    grid: tuple[int, int] | None = None
    skip: int = 0

    @property
    def usual(self) -> bool:
        """Whether the output is as it should be already."""
        return (self.channel, self.row or 2, self.column or 3) == (1, 2, 3)

    def maps(self, output: Tensor) -> Tensor:
        """(images, channels, rows, columns), a view; (images, channels, …) where there are no places."""
        if self.usual:
            return output
        if self.row is None or self.column is None:
            return output.movedim(self.channel, 1)
        if self.grid is None:
            return output.permute(0, self.channel, self.row, self.column)
        places = output.narrow(self.row, self.skip, self.grid[0] * self.grid[1])
        turned: Tensor = places.movedim(self.channel, 1).unflatten(2, self.grid)
        return turned

    def back(self, maps: Tensor, output: Tensor) -> Tensor:
        """As the network had it; tokens that are no places come from its own `output`."""
        if self.usual:
            return maps
        if self.row is None or self.column is None:
            return maps.movedim(1, self.channel)
        if self.grid is None:
            order = (0, self.channel, self.row, self.column)
            return maps.permute([order.index(i) for i in range(4)])
        tokens = maps.flatten(2).movedim(1, self.channel)
        return torch.cat([output.narrow(self.row, 0, self.skip), tokens], self.row) if self.skip else tokens

    def shape(self, output: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one image's maps, from that of the output."""
        return tuple(self.maps(torch.empty(output, device="meta")).shape[1:])


def axes_of(where: Provenance | None) -> Axes | None:
    """From the places of a tensor's cells; None where its channels are not known or it has no entry for each image."""
    if where is None or len(where.dims) < 2 or _tags(where, 0) != ["n"]:
        return None
    plain = [d for d in range(1, len(where.dims)) if not [t for t, _ in where.dims[d] if t]]
    wide = [d for d in plain if any(n > 1 for _, n in where.dims[d])]
    channels = wide if len(wide) == 1 else plain
    rows, columns, tokens = where.dim("y"), where.dim("x"), where.tokens
    if len(where.dims) == 4 and rows is not None and columns is not None and len(plain) == 1:
        return Axes(plain[0], rows, columns)
    if len(where.dims) == 3 and tokens is not None and len(plain) == 1:
        grid = where.y.place.shape[1], where.x.place.shape[1]
        return Axes(plain[0], tokens, tokens, grid, where.skip)
    return Axes(channels[0]) if len(channels) == 1 or len(where.dims) == 2 == len(plain) + 1 else None


def _tags(where: Provenance, dim: int) -> list[Tag]:
    return [tag for tag, n in where.dims[dim] if tag or n > 1]
