"""The walk of a cover over the image, shared by the products of occlusion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike, cover
from pellucid.net import Net, Run
from pellucid.saliency.backward import chunks
from pellucid.target import Target, fixed, scored

Side = Annotated[int, Field(ge=1)]


def _whole(value: float | int) -> float | int:
    if value >= 1 and value != int(value):
        raise ValueError(f"{value:g} is no whole number of pixels, and no share of the side, which is below 1")
    return value


Length = Annotated[float | int, Field(gt=0), AfterValidator(_whole)]
Size = Annotated[
    Length | tuple[Side, Side] | None,
    Field(
        description="side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side",
        examples=[48],
    ),
    Default("a seventh of the side: 32 of 224"),
]
Stride = Annotated[
    Length | None,
    Field(description="step between covers, in pixels of the network's input; below 1: share of its side"),
    Default("half of the cover: 16 of 224"),
]
_SEVENTH = 1 / 7
Cover = Annotated[BaselineLike, Field(description="fill of the covered part: a named one, or an image of your own")]
Edge = Literal["inside", "clip", "pad"]
Border = Annotated[
    Edge,
    Field(description="placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad)"),
]
Span = tuple[int, int]
"""(first pixel, pixel after the last)"""


def spans(length: int, side: int, stride: int, border: Edge) -> list[Span]:
    """Where covers lie along one side of the image, every `stride`.

    inside: the last one is moved inside, so that all are of one size and all is covered. clip: the last one
    ends with the image. pad: covers hang over both edges, so that every pixel is covered equally often
    where `stride` divides `side`.
    """
    if border == "pad":
        return [(start, start + side) for start in range(-((side - 1) // stride) * stride, length, stride)]
    side = min(side, length)
    if border == "clip":
        return [(start, min(start + side, length)) for start in range(0, min(length, length - side + stride), stride)]
    return [(start, start + side) for start in sorted({*range(0, length - side + 1, stride), length - side})]


def blocks_placement(rows: tuple[Span, ...], columns: tuple[Span, ...]) -> Placement:
    """Cells at the centers of spans of pixels; their field is the longest span."""
    down, across = (np.array([(start + stop - 1) / 2 for start, stop in along]) for along in (rows, columns))
    high, wide = (max(stop - start for start, stop in along) for along in (rows, columns))
    return Placement.at(down, across, (float(high), float(wide)))


@dataclass(frozen=True)
class Occluders:
    """All places of a cover on images of one size, row by row."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    picture: tuple[int, int]
    """(height, width)"""

    @classmethod
    def over(
        cls, prepared: Images, size: float | int | tuple[int, int] | None, stride: float | int | None, border: Edge
    ) -> Occluders:
        """Covers of `size`, over images that a network sees; what is below 1 is a share of their shorter side."""
        height, width = prepared.pixels.shape[-2:]
        side = min(height, width)
        high, wide = size if isinstance(size, tuple) else (_length(_SEVENTH if size is None else size, side),) * 2
        step = max(round(min(high, wide) / 2), 1) if stride is None else _length(stride, side)
        down, across = spans(height, high, step, border), spans(width, wide, step, border)
        return cls(tuple(down), tuple(across), (height, width))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the map."""
        return len(self.rows), len(self.columns)

    @property
    def placement(self) -> Placement:
        """The centers of the covers; the last step may be shorter."""
        return blocks_placement(self.rows, self.columns)

    def runs(self, net: Net, pixels: Tensor, shown: Tensor, at: tuple[str, ...]) -> Iterator[Run]:
        """The network's answers to one image (1, C, H, W) with `shown` at every place in turn, in portions."""
        places = torch.tensor([(*down, *across) for down in self.rows for across in self.columns])
        for portion in chunks(places, net, "occlusion", self.picture, grad=False):
            covered = [
                cover(pixels, top, left, bottom - top, right - left, shown)
                for top, bottom, left, right in portion.tolist()
            ]
            yield net.run(torch.cat(covered), layers=at)

    def per_pixel(self, score_drops: Float[Tensor, "rows columns"]) -> Float[Tensor, "height width"]:
        """The mean over all covers that lie on a pixel; PellucidError where none does."""
        down, across = (
            _inside(along, length) for along, length in zip((self.rows, self.columns), self.picture, strict=True)
        )
        often = torch.outer(down.sum(0), across.sum(0))
        if not often.all():
            raise PellucidError(
                "per_pixel=True: no cover lies on some pixels; a map per pixel needs a stride no longer than the cover"
            )
        return (down.T @ score_drops.cpu().double() @ across) / often


def _length(value: float | int, side: int) -> int:
    """Pixels, of as many or of a share of a side."""
    return max(round(value * side), 1) if value < 1 else int(value)


def _inside(along: tuple[Span, ...], length: int) -> Float[Tensor, "covers length"]:
    """1 where a cover lies on a pixel."""
    at = torch.arange(length)
    return torch.stack([(at >= start) & (at < stop) for start, stop in along]).double()


def score_drops(
    net: Net, pixels: Tensor, target: Target, occluders: Occluders, shown: Tensor
) -> tuple[Float[Tensor, "rows columns"], Float[Tensor, "1"], Target]:
    """(how far the score of one image falls under each cover, in float64; its score; the target, which is fixed)."""
    plain = net.run(pixels, layers=target.layers)
    asked = fixed(target, plain)
    score = scored(asked, plain).detach()
    runs = occluders.runs(net, pixels, shown, target.layers)
    under = torch.cat([scored(asked, run).detach().double() for run in runs])
    return (score.double() - under).view(occluders.shape), score, asked
