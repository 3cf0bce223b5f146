"""Pixels: as a network computes with them, and as a file of 8 bits holds them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.images import Images
from pellucid.net import Net

Size = tuple[int, int]
"""(height, width) of a picture."""
File = UInt8[np.ndarray, "_ _ _"]
"""One picture as a file holds it, (H, W, C)."""


def precision(net: Net) -> torch.dtype:
    """float64 where the network is; pictures are otherwise moved in float32, whatever it computes in."""
    like = next((p for p in net.module.parameters() if p.is_floating_point()), torch.zeros(()))
    return torch.float64 if like.dtype == torch.float64 else torch.float32


def eight_bits(pixels: Float[Tensor, "n c h w"]) -> UInt8[np.ndarray, "n h w c"]:
    """What a file of each picture holds."""
    rounded = (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def through(
    pixels: UInt8[np.ndarray, "n h w c"], credit: Float[Tensor, "n h w"], percentile: float | int = 90
) -> UInt8[np.ndarray, "n h w c"]:
    """The pictures on white, as opaque as each pixel's share in the climb; full from that percentile on."""
    shares = credit.double().cpu().numpy()
    full = np.percentile(shares, percentile, axis=(1, 2), keepdims=True)
    opaque = np.clip(shares / np.maximum(full, np.finfo(float).tiny), 0, 1)[..., None]
    return np.asarray(np.round(opaque * pixels + (1 - opaque) * 255), dtype=np.uint8)


def as_file(pixels: Float[Tensor, "1 c h w"]) -> tuple[np.ndarray, Float[Tensor, "1 c h w"]]:
    """The picture in 8 bits, and what a network is shown of it when it is read again."""
    bits = eight_bits(pixels)
    return bits[0], torch.from_numpy(bits).permute(0, 3, 1, 2).to(pixels.dtype) / 255


def scaled(pixels: Tensor, factor: float) -> Size:
    """The size of a picture that is `factor` times as large."""
    return max(round(factor * pixels.shape[-2]), 1), max(round(factor * pixels.shape[-1]), 1)


def resized(pixels: Float[Tensor, "n c h w"], size: Size) -> Float[Tensor, "n c rows columns"]:
    """Pictures in another size, smooth and still in 0..1."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return F.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)


def as_images(file: File) -> Images:
    """The picture as it is read from its file."""
    return Images.from_pictures([torch.from_numpy(np.array(file)).permute(2, 0, 1)], ["picture"])
