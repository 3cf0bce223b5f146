"""Superpixels: every pixel has one, and a grid has as many as asked for."""

from __future__ import annotations

import pytest
import torch

from pellucid.images import Images
from pellucid.saliency.superpixels import mean_colors, superpixels


def photo(channels: int = 3) -> Images:
    """Four flat quarters with a little noise."""
    quarters = (
        torch.tensor([[0.1, 0.9], [0.5, 0.3]], dtype=torch.float64).repeat_interleave(20, 0).repeat_interleave(24, 1)
    )
    noise = torch.rand(channels, 40, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    scale = torch.linspace(0.5, 1, channels, dtype=torch.float64)[:, None, None]
    return Images.from_pictures([quarters * scale + noise * 0.02], [f"quarters {channels}"])


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("segments", ["quickshift", "slic", "grid"])
def test_superpixels_number_every_pixel_without_gaps(segments: str, channels: int) -> None:
    cut = superpixels(photo(channels), segments, 6)
    assert cut.shape == (40, 48)
    assert sorted(set(cut.flat)) == list(range(cut.max() + 1))
    assert (cut == superpixels(photo(channels), segments, 6)).all()
    if segments != "grid":
        edges = [len({cut[5, 5], cut[5, 40], cut[35, 5], cut[35, 40]})]
        assert edges == [4], "the quarters are different things"


@pytest.mark.parametrize(
    ("size", "pieces", "expected"),
    [((8, 10), 6, 6), ((8, 10), 1, 1), ((1, 9), 4, 4), ((9, 1), 4, 4), ((2, 2), 4096, 4), ((224, 224), 50, 49)],
)
def test_a_grid_has_about_as_many_pieces_as_asked_for(size: tuple[int, int], pieces: int, expected: int) -> None:
    one = Images.from_pictures([torch.zeros(3, *size)], ["zeros"])
    cut = superpixels(one, "grid", pieces)
    assert sorted(set(cut.flat)) == list(range(expected))


def test_each_superpixel_in_its_own_mean_color() -> None:
    one = photo()
    labels = torch.from_numpy(superpixels(one, "grid", 6))
    found = mean_colors(one.pixels, labels)
    for label in labels.unique():
        for channel in range(3):
            inside = one.pixels[0, channel][labels == label]
            assert torch.allclose(found[0, channel][labels == label], inside.mean(), atol=1e-12)
