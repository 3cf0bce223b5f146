"""First layers with filters that a person wrote down: Gabor, color-opponent, steerable and cosine filters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import unknown

COLORS = {
    "luminance": (1 / 3, 1 / 3, 1 / 3),
    "red-green": (0.5, -0.5, 0.0),
    "blue-yellow": (-0.25, -0.25, 0.5),
}
"""What red, green and blue count for in each channel of opponent colors."""


class FixedConv(nn.Module):
    """Convolution with filters (K, C, size, size) that training does not touch: (N, C, H, W) -> (N, K, H, W).

    They are a buffer, so that there is nothing to compute a gradient for. Behind it K numbers, one for each map, may be
    learned, as scales.
    """

    def __init__(self, filters: Tensor, stride: int = 1) -> None:
        super().__init__()
        self.filters: Tensor
        self.register_buffer("filters", filters.clone())
        self.stride, self.scale = stride, nn.Parameter(torch.ones(len(filters)))

    def forward(self, x: Tensor) -> Tensor:
        found = F.conv2d(x, self.filters, stride=self.stride, padding=self.filters.shape[-1] // 2)
        return found * self.scale.view(1, -1, 1, 1)


def _grid(size: int) -> tuple[Tensor, Tensor]:
    """(y, x) of each pixel, from the middle."""
    at = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    return y, x


def _unit(filters: Tensor, zero: bool = True) -> Tensor:
    """Of norm 1 each, without a mean unless told otherwise."""
    less = filters - filters.mean((-2, -1), keepdim=True) if zero else filters
    found: Tensor = less / less.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, *[1] * (filters.dim() - 1))
    return found


def gabor(size: int = 7, orientations: int = 4, wavelengths: Sequence[float] = (3.0, 6.0)) -> Tensor:
    """(2 · orientations · wavelengths, size, size): exp(−r² / 2σ²) · cos and sin (2π x' / λ), σ = λ / 2 (Daugman 1985,
    equation 1). x' is across the bars; wavelengths are in pixels."""
    y, x = _grid(size)
    made = []
    for wavelength in wavelengths:
        bell = torch.exp(-(x**2 + y**2) / (2 * (wavelength / 2) ** 2))
        for k in range(orientations):
            angle = math.pi * k / orientations
            phase = 2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / wavelength
            made += [bell * phase.cos(), bell * phase.sin()]
    return _unit(torch.stack(made))


def steerable(size: int = 7, sigma: float = 1.2, angles: int = 4) -> Tensor:
    """(2 · angles, size, size): first and second derivatives of a Gaussian along so many directions (Freeman & Adelson
    1991, equations 2 and table III): each direction is a fixed sum of two, or three, of the others."""
    y, x = _grid(size)
    bell = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    gx, gy = -x / sigma**2 * bell, -y / sigma**2 * bell
    gxx, gyy = (x**2 / sigma**4 - 1 / sigma**2) * bell, (y**2 / sigma**4 - 1 / sigma**2) * bell
    gxy = x * y / sigma**4 * bell
    made = []
    for k in range(angles):
        c, s = math.cos(math.pi * k / angles), math.sin(math.pi * k / angles)
        made += [c * gx + s * gy, c * c * gxx + 2 * c * s * gxy + s * s * gyy]
    return torch.stack(made)


def cosines(size: int = 7, many: int = 16) -> Tensor:
    """(many, size, size): the first of the discrete cosine transform, by frequency, without the constant one (Ahmed,
    Natarajan & Rao 1974): of norm 1 and at right angles to one another."""
    at = (torch.arange(size, dtype=torch.float64) + 0.5) * math.pi / size
    order = sorted((i * i + j * j, i, j) for i in range(size) for j in range(size) if i + j)[:many]
    return _unit(torch.stack([torch.outer((i * at).cos(), (j * at).cos()) for _, i, j in order]))


def center_surround(size: int = 7, sigma: float = 1.0) -> Tensor:
    """(size, size): a Gaussian less one that is 1.6 times as wide, both of sum 1 (Marr & Hildreth 1980)."""
    y, x = _grid(size)
    inner, outer = (torch.exp(-(x**2 + y**2) / (2 * s * s)) for s in (sigma, 1.6 * sigma))
    return inner / inner.sum() - outer / outer.sum()


def opponent(size: int = 7) -> Tensor:
    """(9, 3, size, size): center and surround, and edges across and down, in luminance, red-green and blue-yellow."""
    edges = steerable(size, angles=2)
    shapes = torch.stack([center_surround(size), edges[0], edges[2]])
    colors = torch.tensor(list(COLORS.values()), dtype=torch.float64)
    return _unit((colors[:, None, :, None, None] * shapes[None, :, None]).flatten(0, 1), zero=False)


BANKS = ("gabor", "opponent", "steerable", "cosines")


def bank(name: str, channels: int = 3, size: int = 7) -> Tensor:
    """(K, channels, size, size) in float32, filters of that name for images of so many channels: "gabor", "steerable"
    and "cosines" see the mean of the channels; "opponent" sees colors, and of other images its luminance alone."""
    if name not in BANKS:
        raise unknown("bank of filters", name, BANKS)
    if name == "opponent":
        made = opponent(size)
        made = made if channels == 3 else made[:3].sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels
    else:
        banks: dict[str, Callable[[int], Tensor]] = {"gabor": gabor, "steerable": steerable, "cosines": cosines}
        plain = banks[name](size)
        made = plain[:, None].expand(-1, channels, -1, -1) / channels
    return _unit(made, zero=False).float()
