"""Soft thresholds, and an autoencoder of them whose thresholds can be turned after training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import PellucidError


class SoftThreshold(nn.Module):
    """η_b(x) = sgn(x) · max(|x| − b, 0), with a threshold b ≥ 0 for each channel: x (N, C, …) -> the same shape.

    `knob` multiplies all thresholds: 0 hands x on unchanged, 1 is what was trained. It may be set at any time, and is
    no weight. Written as ReLU(x − b) − ReLU(−x − b) (Fan et al. 2020, equation 2).
    """

    def __init__(self, channels: int, start: float = 0.1) -> None:
        super().__init__()
        self.raw, self.knob = nn.Parameter(torch.full((channels,), float(start))), 1.0

    @property
    def thresholds(self) -> Tensor:
        """(C,) in units of x, before the knob."""
        return self.raw.abs()

    def forward(self, x: Tensor) -> Tensor:
        b = (self.knob * self.thresholds).view(1, -1, *[1] * (x.dim() - 2))
        return F.relu(x - b) - F.relu(-x - b)


class SoftAutoencoder(nn.Module):
    """Filters, soft thresholds, and the way back, which is linear: images (N, C, H, W) -> images of the same size.

    `size` (even) is the side of the filters, in pixels, and `stride` their distance: sides of images are multiples of
    it. With `rectified` a ReLU without thresholds stands in their place: the plain twin.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, size: int = 8, stride: int = 2, *, rectified: bool = False
    ) -> None:
        super().__init__()
        if (size - stride) % 2 or size < stride:
            raise PellucidError(f"size={size}, stride={stride}: they differ by an even number of pixels, 0 or more")
        edge = (size - stride) // 2
        self.stride = stride
        self.encode = nn.Conv2d(channels, width, size, stride, edge, bias=False)
        self.shrink: nn.Module = nn.ReLU() if rectified else SoftThreshold(width, 0.05)
        self.decode = nn.ConvTranspose2d(width, channels, size, stride, edge)
        with torch.no_grad():
            self.decode.weight.copy_(self.encode.weight)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.decode(self.shrink(self.encode(x - 0.5))) + 0.5
        return found

    def turn(self, knob: float) -> SoftAutoencoder:
        """All thresholds multiplied by that number, 0 or more; itself, for the next call. 1: as trained."""
        if not isinstance(self.shrink, SoftThreshold) or knob < 0:
            raise PellucidError(f"turn({knob}): a number, 0 or more, of a network that has thresholds")
        self.shrink.knob = float(knob)
        return self

    @classmethod
    def haar(cls, channels: int = 1, threshold: float = 0.1) -> SoftAutoencoder:
        """With Haar's filters: one level of wavelet shrinkage (Donoho 1995), the means of 2 × 2 pixels unthresholded.

        Filters 4c to 4c + 3 are of channel c: mean, differences across, down and along the diagonal, all of norm 1.
        """
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, though all are replaced
            made = cls(channels, 4 * channels, size=2, stride=2)
        own = torch.tensor([[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]]) / 2
        with torch.no_grad():
            made.encode.weight.zero_()
            for c in range(channels):
                made.encode.weight[4 * c : 4 * c + 4, c] = own
            made.decode.weight.copy_(made.encode.weight)
            if made.decode.bias is not None:
                made.decode.bias.zero_()
            if isinstance(made.shrink, SoftThreshold):
                made.shrink.raw.fill_(float(threshold))
                made.shrink.raw[::4] = 0.0
        return made


def psnr(found: Tensor, clean: Tensor) -> Tensor:
    """(N,) 10 · log₁₀(1 / mean squared error), in decibels, of images in 0..1 against the clean ones."""
    return -10 * (found.double() - clean.double()).square().flatten(1).mean(1).log10()
