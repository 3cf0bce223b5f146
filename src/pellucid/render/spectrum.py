"""What natural pictures have in common: how their colors vary together, and how strong each frequency is."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.render.pixels import Size

# How the colors of natural pictures vary together: the square root of their covariance (Olah et al. 2017, the
# constants of the lucid library), scaled so that the largest column, brightness, has length 1.
_COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
_COLORS = _COLORS / _COLORS.norm(dim=0).max()
# MACO publishes the mean amplitude spectrum of ImageNet as a file of 3 × H × W; this is a model of such a spectrum
# with few numbers: the mean over rings of the 1000 photos of EliSchwartz/imagenet-sample-images, logits in
# decorrelated colors (brightness, blue–yellow, green–magenta), measured by benchmarks/spectrum.py.
RINGS = tuple(2.0 ** (-8 + 7.5 * i / 11) for i in range(12))
"""Frequencies in cycles per pixel, evenly spaced in their logarithm, from 1/256 to the corner, 1/√2."""
SPECTRUM = (
    (1, 0.516, 0.276, 0.158, 0.0896, 0.0485, 0.0264, 0.0146, 0.00827, 0.00462, 0.00222, 0.0011),
    (0.828, 0.426, 0.238, 0.136, 0.0777, 0.0421, 0.0227, 0.0124, 0.00712, 0.00402, 0.00237, 0.00159),
    (0.781, 0.422, 0.235, 0.14, 0.0812, 0.046, 0.0265, 0.0163, 0.00988, 0.00539, 0.00319, 0.00221),
)
"""The mean amplitude at these frequencies, one row for each decorrelated color, relative to the largest."""
MEANS = (0.00794, 0.0114, 0.00899)
"""How far the mean of a photo is from gray in each of these colors, on the same scale; of the unitary transform the
first coefficient is √(H · W) times that."""


def frequencies(size: Size) -> Tensor:
    """The frequency in cycles per pixel of every coefficient of a real picture's transform, (H, W // 2 + 1)."""
    down = torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(size[1], dtype=torch.float64)[None, :]
    found: Tensor = (down.square() + across.square()).sqrt()
    return found


@cache
def amplitudes(size: Size, channels: int = 3) -> Float[Tensor, "c h half"]:
    """The mean amplitude of photos at every coefficient; of other numbers of channels, brightness in each.

    Between the rings and below them it is a power of the frequency.
    """
    rings, at = np.log(RINGS), frequencies(size).clamp(min=1 / (2 * max(size))).log().numpy()
    rows = []
    for row in SPECTRUM if channels == 3 else SPECTRUM[:1] * channels:
        known = np.log(row)
        slope = (known[1] - known[0]) / (rings[1] - rings[0])
        rows.append(np.where(at < rings[0], known[0] + slope * (at - rings[0]), np.interp(at, rings, known)))
    found: Tensor = torch.from_numpy(np.exp(np.stack(rows)))
    found[:, 0, 0] = torch.tensor(MEANS if channels == 3 else MEANS[:1] * channels) * math.sqrt(size[0] * size[1])
    return found


def recolored(values: Float[Tensor, "n c h w"], colors: bool = True) -> Float[Tensor, "n c h w"]:
    """Decorrelated colors into red, green, blue; other numbers of channels are left alone."""
    if not colors or values.shape[1] != 3:
        return values
    return torch.einsum("rc,nchw->nrhw", _COLORS.to(values), values)


def decolored(values: Float[Tensor, "n c h w"], colors: bool = True) -> Float[Tensor, "n c h w"]:
    """The inverse of `recolored`."""
    if not colors or values.shape[1] != 3:
        return values
    return torch.einsum("cr,nrhw->nchw", torch.linalg.inv(_COLORS).to(values), values)
