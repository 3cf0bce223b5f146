"""LRP of networks that normalize their pixels themselves: the same map as where it is done ahead of the network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import seeded

MEAN, STD = torch.tensor([0.4, 0.5, 0.6], dtype=torch.float64), torch.tensor([0.2, 0.25, 0.3], dtype=torch.float64)
AHEAD = Preprocess(mean=tuple(MEAN.tolist()), std=tuple(STD.tolist()))


def body() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
        )
    )


def constants(x: Tensor) -> Tensor:
    return (x - MEAN.view(1, 3, 1, 1)) / STD.view(1, 3, 1, 1)


def in_place(x: Tensor) -> Tensor:
    return x.clone().sub_(MEAN.view(3, 1, 1)).div_(STD.view(3, 1, 1))


def scaled_first(x: Tensor) -> Tensor:
    return (255 * x - 255 * MEAN.view(3, 1, 1)) * (1 / (255 * STD.view(3, 1, 1)))


def turned(x: Tensor) -> Tensor:
    return -((MEAN.view(3, 1, 1) - x) / STD.view(3, 1, 1))


def as_batch_norm(x: Tensor) -> Tensor:
    return nn.functional.batch_norm(x, MEAN, STD.square(), eps=0.0)


def cut_out_and_padded(x: Tensor) -> Tensor:
    """Geometry between the pixels and the first convolution hands on what it receives."""
    return nn.functional.pad(constants(x.flip(3)), (1, 1, 1, 1))[..., 1:-1, 1:-1].flip(3)


class Inside(nn.Module):
    def __init__(self, normalized: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.normalized, self.body = normalized, body()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.normalized(x))


def picture(at_mean: bool) -> Images:
    pixels = torch.rand(3, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    if at_mean:  # where R / x has no value
        pixels[:, 4, 4], pixels[0, 2, 3] = MEAN, 0.0
    return Images.from_pictures([pixels], ["picture"])


@pytest.mark.parametrize("at_mean", [False, True])
@pytest.mark.parametrize("composite", ["epsilon_plus_flat", "epsilon_plus", "epsilon_alpha2_beta1_flat", "epsilon"])
@pytest.mark.parametrize("way", [constants, in_place, scaled_first, turned, as_batch_norm, cut_out_and_padded])
def test_the_map_does_not_depend_on_where_pixels_are_normalized(
    way: Callable[[Tensor], Tensor], composite: str, at_mean: bool
) -> None:
    ahead = pl.attribution.lrp(Net(body(), preprocess=AHEAD), picture(at_mean), 1, composite=composite)
    inside = pl.attribution.lrp(Net(Inside(way), preprocess=Preprocess()), picture(at_mean), 1, composite=composite)
    assert np.abs(inside.values - ahead.values).max() <= 1e-6 * np.abs(ahead.values).max()
    assert any(rule == "normalization" for _, rule in inside.meta.coverage)


@pytest.mark.parametrize("composite", ["epsilon_plus_flat", "epsilon_plus"])
def test_a_picture_normalized_by_its_own_mean_and_deviation(composite: str) -> None:
    """What is taken from the picture itself counts as a constant, in whichever words the network writes it."""
    pixels = picture(True).pixels

    def by_hand(x: Tensor) -> Tensor:
        return (x - x.mean((1, 2, 3), keepdim=True)) / x.std((1, 2, 3), keepdim=True)

    def ranged(x: Tensor) -> Tensor:
        low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
        return (x - low) / (high - low)

    def group_norm(x: Tensor) -> Tensor:
        return nn.functional.group_norm(x, 1, eps=0.0)

    mean, low, high = float(pixels.mean()), float(pixels.min()), float(pixels.max())
    known = {
        by_hand: Preprocess(mean=(mean,), std=(float(pixels.std()),)),
        ranged: Preprocess(mean=(low,), std=(high - low,)),
        group_norm: Preprocess(mean=(mean,), std=(float(pixels.std(unbiased=False)),)),
    }
    for way, ahead in known.items():
        right = pl.attribution.lrp(Net(body(), preprocess=ahead), picture(True), 1, composite=composite).values
        found = pl.attribution.lrp(Net(Inside(way), preprocess=Preprocess()), picture(True), 1, composite=composite)
        assert np.abs(found.values - right).max() <= 1e-6 * np.abs(right).max(), way.__name__
