"""What excites units most: patches of real images."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from pellucid.geometry import View
from pellucid.result.base import Meta, Result

Box = tuple[float, float, float, float]
"""(top, left, bottom, right) in pixels of an image, edges; it may reach outside."""


@dataclass(frozen=True, eq=False)
class Patches(Result):
    """The N strongest patches of one unit, best first.

    `pictures` are the images that they were found in, as the network saw them, (H, W, 3) each; `boxes` the
    receptive field of the strongest cell in each of them, which may reach outside the image; `values` (N,) the
    activations; `names` what the images are called, `labels` their classes where known.
    """

    pictures: tuple[UInt8[np.ndarray, "height width 3"], ...]
    boxes: tuple[Box, ...]
    values: Float[np.ndarray, " n"]
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    views: tuple[View, ...]
    meta: Meta = field(default_factory=Meta)
    each = ("pictures", "boxes", "values", "names", "labels", "views")

    def __repr__(self) -> str:
        return f"Patches({len(self)} of {self.meta.target or 'a unit'})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Patches:
        """Patch i alone."""
        return self.alone(i, meta=self.meta)

    def crop(self, i: int, outside: int = 127) -> UInt8[np.ndarray, "rows columns 3"]:
        """Patch i itself: what the strongest cell sees, `outside` where it sees past the edge."""
        return cropped(self.pictures[i], self.boxes[i], outside)


def cropped(picture: NDArray[np.uint8], box: Box, outside: int = 127) -> UInt8[np.ndarray, "rows columns 3"]:
    """What of a picture (H, W, 3) lies in the box, `outside` where that reaches past the edge."""
    top, left, bottom, right = (round(edge) for edge in box)
    patch = np.full((bottom - top, right - left, 3), outside, np.uint8)
    inside = (max(top, 0), max(left, 0), min(bottom, picture.shape[0]), min(right, picture.shape[1]))
    if inside[0] < inside[2] and inside[1] < inside[3]:
        patch[inside[0] - top : inside[2] - top, inside[1] - left : inside[3] - left] = picture[
            inside[0] : inside[2], inside[1] : inside[3]
        ]
    return patch
