"""Occlusion as captum has it, where captum is right; and where its border differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import ModuleRelu, seeded

attr = pytest.importorskip("captum.attr")
pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning:captum")]

X = torch.rand(1, 3, 9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def theirs(forward: Any, x: Tensor, size: tuple[int, int], stride: int, target: int) -> np.ndarray:
    how = {"sliding_window_shapes": (3, *size), "strides": (3, stride, stride), "baselines": 0.5, "target": target}
    found = attr.Occlusion(forward).attribute(x, **how)
    return found[:, 0].detach().numpy()  # all channels are covered at once, and have one value


@pytest.mark.parametrize(("size", "stride"), [((3, 3), 3), ((4, 3), 2), ((5, 2), 2)])
def test_clipped_and_per_pixel_is_what_captum_gives(size: tuple[int, int], stride: int) -> None:
    """The mean over covers, the last one clipped. Captum answers in float32 for float64 pixels."""
    module = seeded(ModuleRelu)
    images = Images.from_pictures(list(X), ["a"])
    ours = pl.attribution.occlusion(
        Net(module, preprocess=Preprocess()), images, 1, size=size, stride=stride, border="clip", per_pixel=True
    )
    assert np.abs(ours.array - theirs(module, X, size, stride, 1)).max() < 1e-6


def test_captum_clips_where_we_move_inside() -> None:
    """Trap T16, a known disagreement: on a sum of ones every cover of 3 × 3 is worth 9; captum's last ones are less."""

    class Total(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.like = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return x[:, :1].sum((2, 3)) - 0.5 * x.shape[-1] * x.shape[-2] + 0 * self.like

    module = Total()
    images = Images.from_pictures([torch.full((3, 8, 8), 1.5, dtype=torch.float64)], ["ones"])
    net = Net(module, preprocess=Preprocess())
    ours = pl.attribution.occlusion(net, images, 0, size=3, stride=3, per_pixel=True)
    assert np.allclose(ours.array, 9)
    captum = theirs(module, images.pixels, (3, 3), 3, 0)
    assert captum.min() == pytest.approx(4)
    clipped = pl.attribution.occlusion(net, images, 0, size=3, stride=3, per_pixel=True, border="clip")
    assert np.abs(clipped.array - captum).max() < 1e-5
