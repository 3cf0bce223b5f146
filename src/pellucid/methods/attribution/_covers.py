"""The walk of a cover over the picture, shared by the products of occlusion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.geometry import Placement
from pellucid.images.touch import Fill, cover, filled
from pellucid.methods.attribution._skeleton import chunks
from pellucid.net import Net, Run

Size = Annotated[int, Field(ge=1, description="side of the cover, in pixels of the network's input")]
Stride = Annotated[int, Field(ge=1, description="step between covers, in pixels")]
Filling = Annotated[Fill, Field(description="what the cover shows, in pixel values")]


def corners(length: int, size: int, stride: int) -> list[int]:
    """Where covers begin along one side: every `stride`, the last one moved inside so that all is covered."""
    size = min(size, length)
    return sorted({*range(0, length - size + 1, stride), length - size})


def placement(height: int, width: int, size: int, stride: int) -> Placement:
    """The centres of the covers; the last step may be shorter."""
    rows, columns = (np.array(corners(n, size, stride)) + (min(size, n) - 1) / 2 for n in (height, width))
    return Placement.at(rows, columns, (float(min(size, height)), float(min(size, width))))


def covered_runs(net: Net, pixels: Tensor, size: int, stride: int, fill: Fill, at: tuple[str, ...]) -> Iterator[Run]:
    """The network's answers to one image (1, C, H, W) with every place covered in turn, row by row, in portions."""
    height, width = pixels.shape[-2:]
    rows, columns = corners(height, size, stride), corners(width, size, stride)
    places = torch.tensor([(top, left) for top in rows for left in columns])
    replacement = filled(pixels, fill)
    for portion in chunks(places, net, "occlusion", (height, width), grad=False):
        shown = [cover(pixels, int(top), int(left), size, size, replacement) for top, left in portion]
        yield net.run(torch.cat(shown), at=at)
