"""Maps that know no network: what a method must beat before its score says anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pellucid.geometry import Floats
from pellucid.images.perturb import blurred
from pellucid.rng import generator

_SCHARR = (np.array([3.0, 10.0, 3.0]) / 16, np.array([-1.0, 0.0, 1.0]) / 2)


def _random(pixels: Tensor, seed: int, name: str) -> Floats:
    return generator(seed, name, "random map").random(tuple(pixels.shape[-2:]))


def _blurred_random(pixels: Tensor, seed: int, name: str) -> Floats:
    """Blobs as large as those of a class map: a sixteenth of the image; the lowest place has nothing."""
    found: Floats = blurred(torch.from_numpy(_random(pixels, seed, name)), min(pixels.shape[-2:]) / 16).numpy()
    return found - float(found.min())


def _center(pixels: Tensor, seed: int, name: str) -> Floats:
    """Highest in the middle, falling with the distance from it to nothing in the corners."""
    height, width = pixels.shape[-2:]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    away = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    found: Floats = away[0, 0] - away
    return found


def edges(pixels: Tensor) -> Floats:
    """The largest slope of brightness among the channels (Scharr's filter), (H, W) of pixels (C, H, W)."""
    planes = pixels.cpu().double()[:, None]
    smooth, slope = (torch.from_numpy(one) for one in _SCHARR)
    padded = torch.nn.functional.pad(planes, (1, 1, 1, 1), mode="replicate")
    kernels = torch.stack([smooth[:, None] * slope, slope[:, None] * smooth])[:, None]
    found: Floats = torch.nn.functional.conv2d(padded, kernels).norm(dim=1).amax(0).numpy()
    return found


BASELINES: dict[str, Callable[[Tensor, int, str], Floats]] = {
    "random": _random,
    "blurred_random": _blurred_random,
    "center": _center,
    "edges": lambda pixels, seed, name: edges(pixels),
}
"""(H, W) from pixels (C, H, W) in 0..1, a seed and the name of the image."""
