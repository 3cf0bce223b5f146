"""Small networks of which the truth is known: what an explanation has to say of them can be written down."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.images import Images, read
from pellucid.net import Net
from pellucid.net.load import load
from pellucid.rng import generator

SIDE = 32
"""Height and width of their images, in pixels."""


def small(made: Callable[[], nn.Module], seed: int) -> Net:
    """A network of images of `SIDE` pixels whose weights are drawn (He et al. 2015), with small biases."""
    with torch.random.fork_rng(devices=[]):
        module = made()
    for key, value in module.named_parameters():
        chance = generator(seed, "small network", key)
        fan = value[0].numel() if value.dim() > 1 else 1
        scale = (2 / fan) ** 0.5 if value.dim() > 1 else 0.1
        center = 1.0 if key.endswith("norm.weight") else 0.0
        with torch.no_grad():
            value.copy_(torch.from_numpy(center + scale * chance.standard_normal(tuple(value.shape))))
            if isinstance(module, Mirrored) and value.dim() == 4:
                value.copy_((value + value.flip(-1)) / 2)
    scale = 1.0 if isinstance(module, Unbiased) else 0.5
    return load(module.double().eval(), size=SIDE, mean=(1 - scale,) * 3, std=(scale,) * 3)


def image(seed: int, mirrored: bool = False) -> Images:
    """A smooth random image (3, SIDE, SIDE), which may be its own mirror image."""
    coarse = torch.from_numpy(generator(seed, "small image").random((1, 3, 4, 4)))
    pixels = F.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)[0]
    pixels = (pixels + pixels.flip(-1)) / 2 if mirrored else pixels
    return read(pixels.numpy().astype(np.float64).transpose(1, 2, 0))


class Trunk(nn.Module):
    """Two convolutions with rectifiers, means over the places, one linear layer."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.first, self.relu = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU()
        self.second, self.relu2 = nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        self.head = nn.Linear(8, outputs)

    def maps(self, x: Tensor) -> Tensor:
        """The last maps (N, 8, H, W)."""
        found: Tensor = self.relu2(self.second(self.relu(self.first(x))))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs)."""
        found: Tensor = self.head(self.maps(x).mean((2, 3)))
        return found


class LeftHalf(Trunk):
    """It looks at the left half of the image alone: pixels of the right half are dummies."""

    def forward(self, x: Tensor) -> Tensor:
        """What the trunk says of the left half."""
        return super().forward(x[..., : x.shape[-1] // 2])


class Mirrored(Trunk):
    """Its kernels are their own mirror images, so mirrored pixels of equal values have equal shares."""


class Summed(Trunk):
    """Its third output is the sum of the other two, so the map of it is the sum of theirs."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3)."""
        found = super().forward(x)
        return torch.cat([found, found.sum(1, keepdim=True)], 1)


class Unbiased(Trunk):
    """Without biases, and black is its zero: what reaches its pixels from the score can only be all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first.bias = self.second.bias = self.head.bias = None  # type: ignore[assignment]


class Rewritten(Trunk):
    """The trunk in other words: rectifiers as maxima, a convolution as two that add up, means as sums of weights."""

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers as of the trunk."""
        h = torch.maximum(self.first(x), x.new_zeros(()))
        half = self.second.weight / 4
        h = F.conv2d(h, half, self.second.bias, padding=1) + F.conv2d(h, 3 * half, padding=1)
        h = torch.where(h > 0, h, torch.zeros_like(h))
        found: Tensor = self.head(torch.einsum("nchw->nc", h) / (h.shape[-1] * h.shape[-2]))
        return found


class Reflected(Trunk):
    """The trunk with other rectifiers: x + relu(−x) is relu(x). Methods with rules for rectifiers have a map of it."""

    def maps(self, x: Tensor) -> Tensor:
        """The same numbers as of the trunk."""
        for layer in (self.first, self.second):
            x = layer(x)
            x = x + F.relu(-x)
        return x


class _Residual(Trunk):
    def maps(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        found: Tensor = F.relu(h.repeat(1, 2, 1, 1)[:, :8] + self.second(h))
        return found


class _Smooth(Trunk):
    def maps(self, x: Tensor) -> Tensor:
        return F.gelu(self.second(F.silu(self.first(x))))


class _Gated(Trunk):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(8, 8)

    def maps(self, x: Tensor) -> Tensor:
        h = super().maps(x)
        return h * torch.sigmoid(self.gate(h.mean((2, 3))))[..., None, None]


class _Depthwise(Trunk):
    def __init__(self) -> None:
        super().__init__()
        self.apart, self.up = nn.Conv2d(8, 8, 3, stride=2, groups=8), nn.ConvTranspose2d(8, 8, 2, stride=2, groups=2)

    def maps(self, x: Tensor) -> Tensor:
        return F.relu6(self.up(F.relu(self.apart(super().maps(x)))))


class _Normed(Trunk):
    def __init__(self) -> None:
        super().__init__()
        self.batch_norm, self.layer_norm = nn.BatchNorm2d(8), nn.GroupNorm(1, 8)

    def maps(self, x: Tensor) -> Tensor:
        return F.relu(self.layer_norm(self.batch_norm(super().maps(x))))


class _InPlace(Trunk):
    def maps(self, x: Tensor) -> Tensor:
        h = self.first(x)
        h = F.max_pool2d(h.relu_(), 2)
        found: Tensor = self.second(h).relu_()
        return found


class _Flat(Trunk):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8 * SIDE * SIDE, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.maps(x).flatten(1))
        return found


class _Attention(Trunk):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = F.max_pool2d(self.maps(x), 4).flatten(2).transpose(1, 2)
        found: Tensor = self.head((tokens + self.attention(tokens, tokens, tokens)[0]).mean(1))
        return found


KINDS: dict[str, Callable[[], nn.Module]] = {
    "plain": Trunk,
    "residual, functional": _Residual,
    "smooth activations": _Smooth,
    "gated channels": _Gated,
    "depthwise, transposed": _Depthwise,
    "batch and group norm": _Normed,
    "in place, pooled": _InPlace,
    "flattened head": _Flat,
    "attention": _Attention,
}
"""Kinds of networks, for the question which of them a method serves."""
