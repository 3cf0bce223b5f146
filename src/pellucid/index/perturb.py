"""What a receptive field is replaced by: gray, turned, mirrored, shuffled. Pure functions of pixels in 0..1."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.index.crops import Spot
from pellucid.rng import generator

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""
_GAIN = 3.0  # what contrast a gray version is given back at most: an even brightness has only noise to enlarge


def opponent(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) in 0..1 as (O1, O2, O3): light − dark, red − green, yellow − blue."""
    red, green, blue = np.moveaxis(colors, -1, 0)
    found = (red + green + blue - 1.5) / 1.5, red - green, (red + green - 2 * blue) / 2
    return np.stack(found, axis=-1)


def inside(spot: Spot) -> Tensor:
    """(C, h, w): what the unit sees of the image."""
    top, left, bottom, right = spot.inside
    return spot.pixels[:, top:bottom, left:right]


def principal_gray(crop: Tensor) -> Tensor:
    """Without color, as the paper has it: the first principal component of the opponent channels, from 0 to 1.

    It is turned so that light stays light. An even crop keeps its brightness.
    """
    colors = crop.double().permute(1, 2, 0).reshape(-1, 3).cpu().numpy()
    channels = opponent(colors)
    centered = channels - channels.mean(0)
    axes = np.linalg.eigh(centered.T @ centered)[1]
    axis = axes[:, -1]  # eigh sorts upwards
    said = axis[np.abs(axis) > 1e-6]  # light, else red, else yellow stays above
    axis = axis if said[0] > 0 else -axis
    values = centered @ axis
    span = np.ptp(values)
    flat = colors @ np.array(LUMA)
    gray = (values - values.min()) / span if span > 1e-9 else flat
    return torch.from_numpy(gray.reshape(1, *crop.shape[1:])).to(crop).expand_as(crop)


def luminance_gray(crop: Tensor) -> Tensor:
    """Without color, as bright and as rich in contrast as before: brightness, with the colors' mean and variance."""
    colors = crop.double()
    gray = torch.einsum("chw,c->hw", colors, colors.new_tensor(LUMA))[None]
    mean = colors.mean()
    spread = colors.var(dim=(1, 2), correction=0).mean().sqrt()
    own = gray.std(correction=0)
    gain = (spread / own).clamp(max=_GAIN) if own > 1e-9 else gray.new_tensor(1.0)
    return (mean + (gray - gray.mean()) * gain).clamp(0, 1).to(crop).expand_as(crop)


def shuffled(crop: Tensor, seed: int, name: str) -> Tensor:
    """The same pixels in another order: colors stay, shapes go."""
    order = generator(seed, name, "shuffled").permutation(crop.shape[1] * crop.shape[2])
    return crop.flatten(1)[:, torch.from_numpy(order)].reshape(crop.shape)


def turn(degrees: float | int) -> NDArray[np.float64]:
    """A turn against the clock, for (y, x) with y downwards."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, -s], [s, c]]).round(15)


def mirror(degrees: float | int) -> NDArray[np.float64]:
    """A reflection in an axis: 0 lies level (up becomes down), 90 stands upright (left becomes right), for (y, x)."""
    c, s = cos(radians(2 * degrees)), sin(radians(2 * degrees))
    return np.array([[-c, -s], [-s, c]]).round(15)


def moved(spot: Spot, matrices: Sequence[NDArray[np.float64]]) -> Tensor:
    """(K, C, h, w): what the unit sees, turned or mirrored about the middle of its receptive field by each matrix.

    Between pixels linear. Nothing comes in from around the field: what would is mirrored from within it.
    """
    crop = inside(spot)
    top, left, bottom, right = spot.inside
    middle = (spot.box[0] + spot.box[2] - 1) / 2 - top, (spot.box[1] + spot.box[3] - 1) / 2 - left
    rows, columns = np.mgrid[0 : bottom - top, 0 : right - left].astype(np.float64)
    offsets = np.stack([rows - middle[0], columns - middle[1]], axis=-1)
    grids = []
    for matrix in matrices:
        # Matrices of turns and reflections are orthogonal: the transpose says where each pixel comes from.
        source = offsets @ matrix
        y, x = source[..., 0] + middle[0], source[..., 1] + middle[1]
        high, wide = crop.shape[1:]
        grids.append(np.stack([_unit(_folded(x, wide), wide), _unit(_folded(y, high), high)], axis=-1))
    grid = torch.from_numpy(np.stack(grids))
    pixels = crop.double().expand(len(matrices), *crop.shape)
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=True).to(crop)


def _folded(at: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Places within 0..size − 1, mirrored at both ends: −1 is 1."""
    last = size - 1
    if last == 0:
        return np.zeros_like(at)
    return np.asarray(last - np.abs(np.mod(at, 2 * last) - last))


def _unit(at: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.zeros_like(at) if size == 1 else 2 * at / (size - 1) - 1
