"""Perturbations of an image (occlude, blur, fill): pure functions of pixels, (N, C, H, W) or (C, H, W) float in
0..1, that change a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, unknown
from pellucid.images import Images
from pellucid.rng import generator

Fill = Literal["gray", "black", "white", "mean", "blur", "noise"]
FILLS: tuple[Fill, ...] = get_args(Fill)
"""What may stand in the place of pixels that are taken away; 'blur' keeps the colors and takes the detail."""

PictureLike: TypeAlias = Images | str | Path | Tensor | NDArray[Any]
"""An image as an option of a method: what `read` makes one of."""


def input_like(value: Fill | PictureLike, names: tuple[str, ...] = FILLS) -> Any:
    """A fill by its name, or images from what `read` takes."""
    if (isinstance(value, str) and value in names) or not isinstance(value, (str, Path, Tensor, np.ndarray)):
        return value
    if isinstance(value, str) and not Path(value).suffix and ":" not in value and not Path(value).exists():
        raise unknown("fill", value, [*names, "the path of an image"])
    return Images.of(value)


def read_if(value: PictureLike) -> Any:
    """For pydantic: images from what `read` takes, anything else left for it to refuse."""
    return Images.of(value) if isinstance(value, (str, Path, Tensor, np.ndarray)) else value


PictureOption = Annotated[InstanceOf[Images], BeforeValidator(read_if)]
"""An option that takes an image, or whatever `read` makes one of."""
BaselineLike = Annotated[Fill | InstanceOf[Images], BeforeValidator(input_like)]
"""An option that takes a fill by its name, or an image of one's own (whatever `read` takes)."""


def cover(pixels: Tensor, top: int, left: int, height: int, width: int, fill: Tensor | float) -> Tensor:
    """A copy of pixels (…, C, H, W) with the window of height × width at (top, left) taken from `fill`.

    `fill` is as large as the pixels (then the same window is taken from it), or broadcasts to the window
    (…, C, height, width). The part of the window that lies outside the image is ignored.
    """
    rows, columns = pixels.shape[-2:]
    window = (
        slice(min(max(top, 0), rows), min(max(top + height, 0), rows)),
        slice(min(max(left, 0), columns), min(max(left + width, 0), columns)),
    )
    covered = pixels.clone()
    place = covered[(..., *window)]
    fill = torch.as_tensor(fill, dtype=pixels.dtype, device=pixels.device)
    if fill.ndim >= 2 and fill.shape[-2:] == (rows, columns):
        fill = fill[(..., *window)]
    elif fill.ndim >= 2 and fill.shape[-2:] == (height, width):
        inside = (window[0].start - top, window[1].start - left)
        fill = fill[..., inside[0] : inside[0] + place.shape[-2], inside[1] : inside[1] + place.shape[-1]]
    place.copy_(fill)
    return covered


_FEW = 32
"""How many kernels must fit a row before a convolution is faster than a product with the matrix of the blur."""


def blurred(pixels: Tensor, sigma: float | int) -> Tensor:
    """Gaussian blur of (…, H, W) with `sigma` in pixels; cut at 4 sigma, the image mirrored at its edges."""
    if not sigma >= 0 or math.isinf(sigma):
        raise PellucidError(f"sigma={sigma} is no width of a blur: a number of pixels, 0 or more")
    radius = math.ceil(4 * sigma)
    if radius == 0:
        return pixels.clone()
    steps = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    planes = pixels.reshape(-1, *pixels.shape[-2:])
    for _ in range(2):  # along rows, and turned along columns
        planes = _along_rows(planes, kernel).transpose(-2, -1)
    return planes.reshape(pixels.shape)


def _along_rows(planes: Tensor, kernel: Tensor) -> Tensor:
    """Planes (n, H, W) with each row passed under the kernel, mirrored at both ends as often as the kernel needs."""
    size, radius = planes.shape[-1], len(kernel) // 2
    if size > _FEW * len(kernel):
        longer = planes.index_select(-1, _mirrored(torch.arange(-radius, size + radius), size).to(planes.device))
        return F.conv2d(longer[:, None], kernel.to(planes)[None, None, None])[:, 0]
    place = _mirrored(torch.arange(size)[:, None] + torch.arange(-radius, radius + 1), size)
    weights = torch.zeros(size, size, dtype=torch.float64).scatter_add_(1, place, kernel.expand(size, -1).contiguous())
    return planes @ weights.T.to(planes)


def _mirrored(place: Tensor, size: int) -> Tensor:
    """Places beyond the ends of a row as those that stand for them: 2 1 | 0 1 2 3 | 2 1, again and again."""
    place = place % max(2 * size - 2, 1)
    return torch.minimum(place, 2 * size - 2 - place)


_PICTURES: dict[str, Callable[[Tensor, float | int], Tensor]] = {
    "gray": lambda pixels, _: torch.full_like(pixels, 0.5),
    "black": lambda pixels, _: torch.zeros_like(pixels),
    "white": lambda pixels, _: torch.ones_like(pixels),
    "mean": lambda pixels, _: pixels.mean(dim=(-2, -1), keepdim=True).expand_as(pixels).clone(),
    "blur": blurred,
}


def filled(
    pixels: Tensor, kind: Fill | str, *, sigma: float | int = 10.0, which: tuple[int | str, ...] = (0,)
) -> Tensor:
    """The image that stands in for pixels (…, C, H, W): the same shape, filled with `kind`.

    gray is 0.5, 'mean' each image's own mean color; `sigma` is the width of 'blur' in pixels. 'noise' is
    uniform in 0..1 for every channel of every pixel; `which` is (seed, image id, …), as in `chance.generator`.
    """
    if kind == "noise":
        return torch.from_numpy(generator(int(which[0]), *which[1:], "fill").random(tuple(pixels.shape))).to(pixels)
    fill: Any = _PICTURES.get(kind)
    if fill is None:
        raise unknown("fill", str(kind), FILLS)
    picture: Tensor = fill(pixels, sigma)
    return picture
