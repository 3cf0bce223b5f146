"""What a network wants to be shown: size, crop and color statistics, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import BadImage
from pellucid.geometry import View
from pellucid.images import Images, as_float
from pellucid.images.arrays import Range, Window
from pellucid.loading import Interpolation

_SLACK = 1e-3  # of the range, as where numbers are read
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what every image library means by gray


@dataclass(frozen=True)
class Preprocess:
    """How images in 0..1 become the network's input: resize, center crop, (x − mean) / std.

    `resize` is the short side (the image keeps its proportions) or the exact (height, width); `crop` the
    (height, width) cut from the center. None leaves the image as it is. `mean` and `std` are per channel, in
    units of 0..1; `channels` is what the first layer takes, None where unknown.
    """

    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels: int | None = 3
    value_range: Range | None = None
    """The values that 0 and 1 stand for, where the network's user said them: images read on another scale are put on
    this one."""
    clip: bool = False
    """Values outside `value_range` are clipped to it, and no reason to refuse an image."""
    step: str = ""
    """What else is done to the pixels inside the network, as its first step; none where that is empty."""
    unstated: tuple[str, ...] = field(default=(), compare=False)
    """What of `mean` and `std` nobody has said."""

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the input, or None where any size will do."""
        return self.crop or (self.resize if isinstance(self.resize, tuple) else None)

    @property
    def reading(self) -> Range | None:
        """The scale on which images are read for it: `value_range`, as a window where it clips."""
        return Window.where(self.clip, self.value_range)

    def prepare(self, images: Images) -> Images:
        """The images as the network will see them: (C, h, w) floats in 0..1, all with their way back.

        Images that this preprocessing has already cut are returned as they are.
        """
        if images.cut_by == self:
            return images
        ranges = [images.value_range(i) for i in range(len(images))]
        seen = [self._cut(*one) for one in zip(images.pictures, images.ids, ranges, strict=True)]
        pictures = tuple(picture for picture, _ in seen)
        views = tuple(_after(first, then) for first, (_, then) in zip(images.views, seen, strict=True))
        ranges = [known and (self.value_range or known) for known in ranges]
        return Images(pictures, images.ids, images.originals, views, images.notes, self, tuple(ranges))

    def normalize(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """(x − mean) / std, per channel; differentiable."""
        mean = torch.tensor(self.mean, dtype=pixels.dtype, device=pixels.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, dtype=pixels.dtype, device=pixels.device).view(1, -1, 1, 1)
        return (pixels - mean).div_(std)  # in place: a second image of that size would cost as much again

    def _cut(self, picture: Tensor, name: str, value_range: Range | None) -> tuple[Tensor, View]:
        picture = self._recolor(self._rescaled(as_float(picture), name, value_range), name)
        height, width = picture.shape[-2:]
        resized = self._resized(height, width)
        if resized != (height, width):
            smooth = self.interpolation != "nearest"
            picture = F.interpolate(picture[None], resized, mode=self.interpolation, antialias=smooth)[0]
            picture = picture.clamp(0, 1)  # bicubic overshoots at edges; an 8-bit file would clip there too
        crop = self.crop or resized
        top, left = round((resized[0] - crop[0]) / 2), round((resized[1] - crop[1]) / 2)
        if top < 0 or left < 0:  # smaller than the crop: black border, as the usual center crops do
            picture = F.pad(picture, (max(-left, 0), crop[1], max(-top, 0), crop[0]))
        picture = picture[:, max(top, 0) : max(top, 0) + crop[0], max(left, 0) : max(left, 0) + crop[1]]
        down, across = height / resized[0], width / resized[1]
        box = (top * down, left * across, (top + crop[0]) * down, (left + crop[1]) * across)
        return picture, View(crop, box, (height, width))

    def _rescaled(self, picture: Tensor, name: str, read: Range | None) -> Tensor:
        """An image that was read on another scale than the network's, on that one."""
        if self.value_range is None or read is None or read == self.value_range:
            return picture
        (low, high), (black, white) = read, self.value_range
        values = (picture.double() * (high - low) + low - black) / (white - black)
        if not self.clip and (values.min() < -_SLACK or values.max() > 1 + _SLACK):
            least, most = (float(one) * (white - black) + black for one in (values.min(), values.max()))
            raise BadImage(
                f"{name!r} has values from {least:g} to {most:g}, the network was loaded with value_range="
                f"({black:g}, {white:g}): load it with the range of these data, or with clip=True"
            )
        return values.clamp(0, 1).to(picture.dtype)

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.resize is None:
            return height, width
        if isinstance(self.resize, tuple):
            return self.resize
        short = min(height, width)
        return max(int(self.resize * height / short), 1), max(int(self.resize * width / short), 1)

    def _recolor(self, picture: Tensor, name: str) -> Tensor:
        have, want = picture.shape[0], self.channels
        if want is None or have == want:
            return picture
        if have == 1:
            return picture.expand(want, -1, -1)
        if have == 3 and want == 1:
            return torch.einsum("chw,c->hw", picture, picture.new_tensor(_LUMA))[None]
        way = f", in Python read(read(picture).pictures[0][:{want}]) for the first {want}" if want < have else ""
        raise BadImage(
            f"{name!r} has {have} channels, the network takes {want}: give it an image of the {want} that it was "
            f"trained on{way}"
        )


def _after(first: View, then: View) -> View:
    """A view of a view: `then` cut from the image that `first` had cut from the original."""
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
