"""What a network wants to be shown: size, crop and colour statistics, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import BadImage
from pellucid.geometry import View
from pellucid.images import Images, as_float

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what every image library means by grey


@dataclass(frozen=True)
class Preprocess:
    """How pictures in 0..1 become the network's input: resize, centre crop, (x − mean) / std.

    `resize` is the short side (the picture keeps its proportions) or the exact (height, width); `crop` the
    (height, width) cut from the centre. None leaves the picture as it is. `mean` and `std` are per channel, in
    units of 0..1; `channels` is what the first layer takes, None where unknown.
    """

    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels: int | None = 3

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the input, or None where any size will do."""
        return self.crop or (self.resize if isinstance(self.resize, tuple) else None)

    def see(self, images: Images) -> Images:
        """The pictures as the network will see them: (C, h, w) floats in 0..1, all with their way back.

        Pictures that this preprocessing has already cut are returned as they are.
        """
        if images.cut_by == self:
            return images
        seen = [self._cut(picture, name) for picture, name in zip(images.pictures, images.ids, strict=True)]
        pictures = tuple(picture for picture, _ in seen)
        views = tuple(_after(first, then) for first, (_, then) in zip(images.views, seen, strict=True))
        return Images(pictures, images.ids, images.originals, views, images.notes, self, images.value_ranges)

    def normalise(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """(x − mean) / std, per channel; differentiable."""
        mean = torch.tensor(self.mean, dtype=pixels.dtype, device=pixels.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, dtype=pixels.dtype, device=pixels.device).view(1, -1, 1, 1)
        return (pixels - mean).div_(std)  # in place: a second picture of that size would cost as much again

    def _cut(self, picture: Tensor, name: str) -> tuple[Tensor, View]:
        picture = self._recolour(as_float(picture), name)
        height, width = picture.shape[-2:]
        resized = self._resized(height, width)
        if resized != (height, width):
            smooth = self.interpolation != "nearest"
            picture = F.interpolate(picture[None], resized, mode=self.interpolation, antialias=smooth)[0]
            picture = picture.clamp(0, 1)  # bicubic overshoots at edges; an 8-bit file would clip there too
        crop = self.crop or resized
        top, left = round((resized[0] - crop[0]) / 2), round((resized[1] - crop[1]) / 2)
        if top < 0 or left < 0:  # smaller than the crop: black border, as the usual centre crops do
            picture = F.pad(picture, (max(-left, 0), crop[1], max(-top, 0), crop[0]))
        picture = picture[:, max(top, 0) : max(top, 0) + crop[0], max(left, 0) : max(left, 0) + crop[1]]
        down, across = height / resized[0], width / resized[1]
        box = (top * down, left * across, (top + crop[0]) * down, (left + crop[1]) * across)
        return picture, View(crop, box, (height, width))

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.resize is None:
            return height, width
        if isinstance(self.resize, tuple):
            return self.resize
        short = min(height, width)
        return max(int(self.resize * height / short), 1), max(int(self.resize * width / short), 1)

    def _recolour(self, picture: Tensor, name: str) -> Tensor:
        have, want = picture.shape[0], self.channels
        if want is None or have == want:
            return picture
        if have == 1:
            return picture.expand(want, -1, -1)
        if have == 3 and want == 1:
            return torch.einsum("chw,c->hw", picture, picture.new_tensor(_LUMA))[None]
        raise BadImage(
            f"{name!r} has {have} channels, the network takes {want}: give an array of shape ({want}, height, width)"
        )


def _after(first: View, then: View) -> View:
    """A view of a view: `then` cut from the picture that `first` had cut from the original."""
    top, left, bottom, right = then.box
    down = (first.box[2] - first.box[0]) / first.size[0]
    across = (first.box[3] - first.box[1]) / first.size[1]
    box = (
        first.box[0] + top * down,
        first.box[1] + left * across,
        first.box[0] + bottom * down,
        first.box[1] + right * across,
    )
    return View(then.size, box, first.original)
