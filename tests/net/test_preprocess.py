"""Size, crop, color, and the way back to the original picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.net import Preprocess


def one(picture: torch.Tensor) -> Images:
    return Images.from_pictures([picture], ["photo"])


@pytest.mark.parametrize("size", [(60, 90), (90, 60), (256, 256), (301, 517)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_same_as_pillow_within_one_level(size: tuple[int, int], interpolation: str) -> None:
    generator = np.random.default_rng(0)
    # Away from black and white: Pillow also clips between its two passes, where bicubic overshoots.
    rough = generator.integers(70, 186, (size[0] // 5, size[1] // 5, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(rough).resize(size[::-1], Image.Resampling.BICUBIC))
    how = Preprocess(resize=64, crop=(56, 56), interpolation=interpolation)  # type: ignore[arg-type]
    seen = how.prepare(one(torch.from_numpy(pixels.copy()).permute(2, 0, 1)))
    scale = 64 / min(size)
    resized = Image.fromarray(pixels).resize(
        (int(size[1] * scale), int(size[0] * scale)), getattr(Image.Resampling, interpolation.upper())
    )
    left, top = round((resized.width - 56) / 2), round((resized.height - 56) / 2)
    expected = np.asarray(resized.crop((left, top, left + 56, top + 56))) / 255
    assert np.abs(seen.pixels[0].permute(1, 2, 0).numpy() - expected).max() <= 1.5 / 255


def test_the_way_back_finds_a_dot() -> None:
    """A bright dot of the original lies where the view says that the seen dot lies."""
    picture = torch.zeros(3, 300, 400)
    picture[:, 140:150, 260:270] = 1
    seen = Preprocess(resize=128, crop=(112, 112)).prepare(one(picture))
    weight = seen.pixels[0].sum(0).double()
    y = float((weight.sum(1) * torch.arange(112)).sum() / weight.sum())
    x = float((weight.sum(0) * torch.arange(112)).sum() / weight.sum())
    assert seen.views[0].to_original(y, x) == pytest.approx((144.5, 264.5), abs=0.2)
    assert seen.views[0].original == (300, 400)


def test_what_was_seen_is_not_cut_again() -> None:
    how = Preprocess(resize=64, crop=(56, 56))
    seen = how.prepare(one(torch.rand(3, 80, 90)))
    assert how.prepare(seen) is seen
    assert how.prepare(seen[0]).pixels.equal(seen.pixels)
    assert Preprocess(resize=64, crop=(56, 56), mean=(0.5,)).prepare(seen) is not seen


def test_views_of_views() -> None:
    first = Preprocess(resize=(100, 200)).prepare(one(torch.rand(3, 50, 100)))
    then = Preprocess(crop=(40, 60)).prepare(first)
    assert then.views[0].box == pytest.approx((15.0, 35.0, 35.0, 65.0))
    assert then.views[0].original == (50, 100)
    assert then.views[0].to_original(-0.5, -0.5) == pytest.approx((14.5, 34.5))


def test_small_pictures_get_a_border() -> None:
    seen = Preprocess(crop=(8, 10)).prepare(one(torch.ones(3, 4, 6)))
    assert seen.pixels.shape == (1, 3, 8, 10)
    assert seen.pixels.sum() == 3 * 4 * 6
    assert seen.views[0].box == (-2, -2, 6, 8)
    assert seen.pixels[0, 0, 2:6, 2:8].all()


def test_channels() -> None:
    gray = Preprocess(channels=1).prepare(one(torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 2, 2)))
    assert gray.pixels.shape == (1, 1, 2, 2)
    assert gray.pixels[0, 0, 0, 0] == pytest.approx(0.299)
    assert Preprocess(channels=3).prepare(one(torch.rand(1, 2, 2))).pixels.shape == (1, 3, 2, 2)
    assert Preprocess(channels=7).prepare(one(torch.rand(7, 2, 2))).pixels.shape == (1, 7, 2, 2)
    with pytest.raises(BadImage, match="'photo' has 3 channels, the network takes 7"):
        Preprocess(channels=7).prepare(one(torch.rand(3, 2, 2)))


def test_normalize() -> None:
    x = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    how = Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    assert torch.allclose(how.normalize(x)[:, 1], (x[:, 1] - 0.2) / 0.6, atol=1e-15)
    assert Preprocess().normalize(x).equal(x)


def test_pictures_of_two_sizes_are_no_tensor() -> None:
    both = one(torch.rand(3, 4, 4)) + one(torch.rand(3, 5, 4))
    with pytest.raises(BadImage, match="2 sizes"):
        both.pixels  # noqa: B018
    assert Preprocess(resize=(3, 3)).prepare(both).pixels.shape == (2, 3, 3, 3)
