"""A window on deep images: values beyond it are clipped where that was said, and refused where it was not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.errors import BadImage, PellucidError
from pellucid.images.arrays import Window


class Sum(nn.Module):
    """Two numbers that say what went in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.conv(x).mean((2, 3))
        return values


DEEP = np.linspace(0, 3000, 64).reshape(8, 8)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_the_network_is_shown_what_lies_in_the_window(tmp_path: Path, kind: type) -> None:
    file = tmp_path / "deep.tif"
    Image.fromarray(DEEP.astype(kind)).save(file)
    net = pl.load(Sum(), value_range=(500, 1500), clip=True, mean=1000, std=250)
    right = (np.clip(DEEP.astype(kind).astype(np.float64), 500, 1500) - 1000) / 250
    (found,) = net.preprocess.normalize(net.prepare(net.images(file)).pixels)
    assert np.allclose(found[0], right, atol=1e-5)
    assert "lie outside and are clipped" in str(net.images(file).notes)
    if kind is np.uint16:  # read by somebody who did not know the window
        (later,) = net.preprocess.normalize(net.prepare(pl.read(file)).pixels)
        assert np.allclose(later[0], right, atol=1e-5)


def test_without_it_such_an_image_is_refused_with_the_way(tmp_path: Path) -> None:
    file = tmp_path / "deep.tif"
    Image.fromarray(DEEP.astype(np.uint16)).save(file)
    net = pl.load(Sum(), value_range=(500, 1500))
    with pytest.raises(BadImage, match=r"0 to 3000, outside 500 to 1500: .*clip=True"):
        net.images(file)
    with pytest.raises(PellucidError, match="say to which values"):
        pl.load(Sum(), clip=True)


def test_a_window_is_no_range() -> None:
    assert Window((0.0, 1.0)) != (0.0, 1.0)
    assert Window((0.0, 1.0)) == Window((0.0, 1.0))
    preprocess = pl.load(Sum(), value_range=(0, 9), clip=True).preprocess
    assert asdict(preprocess)["clip"] is True
    assert isinstance(preprocess.reading, Window)
