"""Transforms of images (N, C, H, W) in 0..1: moved, turned, scaled, flipped; brighter, blurred, noisy, compressed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.images.perturb import blurred
from pellucid.render.affine import looked_at, turned
from pellucid.rng import generator

Border = Literal["mirror", "edge", "wrap", "gray"]
Family = Literal["translation", "rotation", "scale", "flip", "brightness", "blur", "noise", "jpeg"]
FAMILIES: tuple[Family, ...] = ("translation", "rotation", "scale", "flip", "brightness", "blur", "noise", "jpeg")


@dataclass(frozen=True)
class Kind:
    """A family: what its magnitudes are, the one that changes nothing, and those that are tried."""

    axis: str
    identity: float | int
    magnitudes: tuple[float | int, ...]


KINDS: dict[Family, Kind] = {
    "translation": Kind("shift, percent of the side, in a direction of each image's own", 0, (3.2, 6.3, 12.5, 25)),
    "rotation": Kind("rotation, degrees, to a side of each image's own", 0, (5, 15, 30, 45, 90)),
    "scale": Kind("size of the image, as a factor", 1, (0.6, 0.8, 0.9, 1.1, 1.25, 1.6)),
    "flip": Kind("mirrored, 1 = left and right changed places", 0, (1,)),
    "brightness": Kind("brightness, as a factor", 1, (0.25, 0.5, 0.75, 1.25, 1.5, 2)),
    "blur": Kind("width of a Gaussian, percent of the side", 0, (0.8, 1.6, 3.2, 6.3)),
    "noise": Kind("standard deviation of Gaussian noise, of the range of a pixel", 0, (0.02, 0.05, 0.1, 0.2)),
    "jpeg": Kind("JPEG compression, 100 − quality", 0, (10, 30, 50, 70, 90)),
}


def placed(pixels: Tensor, top: int, left: int, size: tuple[int, int], border: Border) -> Tensor:
    """A canvas (N, C, *size) with the image at (top, left), which may lie outside; the rest is its border."""
    for axis, start, length in ((-2, top, size[0]), (-1, left, size[1])):
        own = pixels.shape[axis]
        at = torch.arange(length, device=pixels.device) - start
        outside = (at < 0) | (at >= own)
        if border == "wrap":
            at = at % own
        elif border == "mirror":
            at = at % (2 * own)
            at = torch.minimum(at, 2 * own - 1 - at)
        pixels = pixels.index_select(axis, at.clamp(0, own - 1))
        if border == "gray":
            pixels = pixels.masked_fill(outside[:, None] if axis == -2 else outside, 0.5)
    return pixels


def rotated(pixels: Tensor, degrees: Sequence[float | int], border: Border) -> Tensor:
    """Each image turned about its center, resampled bilinearly. Quarter turns of a square are exact."""
    rows, columns = pixels.shape[-2:]
    if rows == columns and all(one % 90 == 0 for one in degrees):
        return torch.stack([one.rot90(int(d) // 90, (-2, -1)) for one, d in zip(pixels, degrees, strict=True)])
    more = max(rows, columns)
    wide = placed(pixels, more, more, (rows + 2 * more, columns + 2 * more), border)
    return looked_at(wide, [turned(one) for one in degrees], (rows, columns))


def resized(pixels: Tensor, factor: float | int, border: Border) -> Tensor:
    """The image as large as `factor` says, in the middle of a canvas of its old size."""
    rows, columns = pixels.shape[-2:]
    size = max(round(rows * factor), 1), max(round(columns * factor), 1)
    found = F.interpolate(pixels, size, mode="bilinear", antialias=True, align_corners=False)
    return placed(found, (rows - size[0]) // 2, (columns - size[1]) // 2, (rows, columns), border)


def compressed(pixels: Tensor, quality: int) -> Tensor:
    """Through a JPEG file of 8 bits."""
    found = []
    for one in (pixels.double().clamp(0, 1) * 255).round().byte().cpu():
        values = one[0].numpy() if len(one) == 1 else one.permute(1, 2, 0).numpy()
        file = io.BytesIO()
        Image.fromarray(values).save(file, "JPEG", quality=quality)
        with Image.open(file) as again:
            read = torch.from_numpy(np.array(again))
        found.append(read[None] if read.dim() == 2 else read.permute(2, 0, 1))
    return torch.stack(found).to(pixels) / 255


def change(family: Family, by: float | int, border: Border, seed: int) -> Callable[[Tensor, tuple[str, ...]], Tensor]:
    """The transform of one magnitude; what is drawn of an image depends on its name and the seed alone."""

    def changed(pixels: Tensor, ids: tuple[str, ...]) -> Tensor:
        rows, columns = pixels.shape[-2:]
        drawn = [generator(seed, image, family) for image in ids]
        if family == "translation":
            steps = [int(one.integers(4)) for one in drawn]
            far = max(round(rows * by / 100), 1), max(round(columns * by / 100), 1)
            ways = ((far[0], 0), (-far[0], 0), (0, far[1]), (0, -far[1]))
            return torch.cat(
                [placed(one[None], *ways[k], (rows, columns), border) for one, k in zip(pixels, steps, strict=True)]
            )
        if family == "rotation":
            return rotated(pixels, [by if one.integers(2) else -by for one in drawn], border)
        if family == "scale":
            return resized(pixels, by, border)
        if family == "flip":
            return pixels.flip(-1)
        if family == "brightness":
            return (pixels * by).clamp(0, 1)
        if family == "blur":
            return blurred(pixels, by / 100 * min(rows, columns))
        if family == "noise":
            noise = np.stack([one.standard_normal(tuple(pixels.shape[1:])) for one in drawn])
            return (pixels + by * torch.from_numpy(noise).to(pixels)).clamp(0, 1)
        return compressed(pixels, round(100 - by))

    return changed
