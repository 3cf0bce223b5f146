"""Covers and fills against their definitions, written out slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pellucid.errors import PellucidError, UnknownName
from pellucid.images.perturb import FILLS, blurred, cover, filled

PIXELS = torch.rand((2, 3, 9, 12), generator=torch.Generator().manual_seed(0))
FILL = torch.rand((2, 3, 9, 12), generator=torch.Generator().manual_seed(1))


def slowly_covered(pixels: Tensor, top: int, left: int, height: int, width: int, fill: Tensor) -> Tensor:
    """`fill` as large as the pixels."""
    out = pixels.clone()
    for row in range(pixels.shape[-2]):
        for column in range(pixels.shape[-1]):
            if top <= row < top + height and left <= column < left + width:
                out[..., row, column] = fill[..., row, column]
    return out


@pytest.mark.parametrize(
    ("top", "left", "height", "width"),
    [(0, 0, 1, 1), (2, 3, 4, 5), (0, 0, 9, 12), (8, 11, 1, 1), (-2, -3, 4, 5), (7, 10, 4, 5), (-9, -9, 40, 40)],
)
def test_cover_changes_the_window_and_nothing_else(top: int, left: int, height: int, width: int) -> None:
    before = PIXELS.clone()
    covered = cover(PIXELS, top, left, height, width, FILL)
    assert torch.equal(covered, slowly_covered(PIXELS, top, left, height, width, FILL))
    assert torch.equal(PIXELS, before)
    inside = (covered != PIXELS).all(1)[0]
    rows, columns = min(top + height, 9) - max(top, 0), min(left + width, 12) - max(left, 0)
    assert inside.sum() == rows * columns


@pytest.mark.parametrize(("top", "left"), [(9, 0), (0, 12), (-4, 0), (0, -5), (99, 99)])
def test_a_cover_outside_covers_nothing(top: int, left: int) -> None:
    assert torch.equal(cover(PIXELS, top, left, 4, 5, FILL), PIXELS)


@pytest.mark.parametrize(("top", "left"), [(2, 3), (-1, -2), (7, 9)])
def test_a_fill_of_the_windows_size_lies_where_the_window_lies(top: int, left: int) -> None:
    patch = torch.rand((3, 4, 5), generator=torch.Generator().manual_seed(2))
    large = torch.zeros(3, 9 + 20, 12 + 20)
    large[:, top + 10 : top + 14, left + 10 : left + 15] = patch
    expected = slowly_covered(PIXELS, top, left, 4, 5, large[:, 10:19, 10:22].expand_as(PIXELS))
    assert torch.equal(cover(PIXELS, top, left, 4, 5, patch), expected)


@pytest.mark.parametrize(
    "fill", [0.25, torch.tensor(0.25), torch.full((3, 1, 1), 0.25), torch.full((2, 1, 1, 1), 0.25)]
)
def test_fills_broadcast(fill: Tensor | float) -> None:
    expected = slowly_covered(PIXELS, 1, 2, 3, 4, torch.full_like(PIXELS, 0.25))
    assert torch.equal(cover(PIXELS, 1, 2, 3, 4, fill), expected)


def test_one_picture_without_its_batch() -> None:
    assert torch.equal(cover(PIXELS[0], 1, 2, 3, 4, FILL[0]), cover(PIXELS, 1, 2, 3, 4, FILL)[0])


def test_gradients_pass_beside_the_cover_only() -> None:
    pixels = PIXELS.clone().requires_grad_()
    cover(pixels, 1, 2, 3, 4, 0.5).sum().backward()
    assert torch.equal(pixels.grad, slowly_covered(torch.ones_like(PIXELS), 1, 2, 3, 4, torch.zeros_like(PIXELS)))


@pytest.mark.parametrize("kind", FILLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_filled_is_a_new_picture_of_the_same_kind(kind: str, dtype: torch.dtype) -> None:
    pixels = PIXELS.to(dtype)
    before = pixels.clone()
    picture = filled(pixels, kind, sigma=2)
    assert picture.shape == pixels.shape
    assert picture.dtype == dtype
    assert picture.min() >= 0
    assert picture.max() <= 1
    picture.zero_()
    assert torch.equal(pixels, before)


@pytest.mark.parametrize(("kind", "level"), [("gray", 0.5), ("black", 0.0), ("white", 1.0)])
def test_plain_fills(kind: str, level: float) -> None:
    assert torch.equal(filled(PIXELS, kind), torch.full_like(PIXELS, level))


def test_mean_is_each_pictures_own_color() -> None:
    picture = filled(PIXELS, "mean")
    for image in range(2):
        for channel in range(3):
            expected = np.mean(PIXELS[image, channel].numpy(), dtype=np.float64)
            assert np.allclose(picture[image, channel], expected, atol=1e-6)
    assert len(picture.unique()) == 6


@pytest.mark.parametrize("sigma", [0.5, 1.7, 6.0])
@pytest.mark.parametrize("size", [(9, 12), (3, 300)], ids=["small", "wide"])
def test_blur_by_its_definition(sigma: float, size: tuple[int, int]) -> None:
    """Σ g(k) pixel(mirror(i + k)) / Σ g(k), along rows then columns; 6 px reaches over the whole small picture.

    A row that is long beside the kernel goes another way than the others.
    """
    pixels = torch.rand((2, 3, *size), generator=torch.Generator().manual_seed(0))
    radius = math.ceil(4 * sigma)
    weights = {k: math.exp(-k * k / (2 * sigma * sigma)) for k in range(-radius, radius + 1)}
    total = sum(weights.values())

    def mirror(i: int, size: int) -> int:
        while not 0 <= i < size:
            i = -i if i < 0 else 2 * (size - 1) - i
        return i

    def along(values: np.ndarray, axis: int) -> np.ndarray:
        size = values.shape[axis]
        lines = [
            sum(w * values.take(mirror(i + k, size), axis) for k, w in weights.items()) / total for i in range(size)
        ]
        return np.stack(lines, axis)

    expected = along(along(pixels.numpy().astype(np.float64), -2), -1)
    assert np.abs(filled(pixels.double(), "blur", sigma=sigma).numpy() - expected).max() < 1e-12
    assert np.abs(blurred(pixels[0], sigma).numpy() - expected[0]).max() < 1e-5


def test_blur_keeps_a_plain_picture_and_smooths_another() -> None:
    plain = torch.full((1, 3, 5, 7), 0.3, dtype=torch.float64)
    assert torch.allclose(filled(plain, "blur"), plain, atol=1e-12)
    assert filled(PIXELS, "blur", sigma=10).std(dim=(-2, -1)).max() < 0.1 * PIXELS.std(dim=(-2, -1)).min()
    assert torch.equal(blurred(PIXELS, 0), PIXELS)


def test_blur_of_one_pixel() -> None:
    assert torch.allclose(blurred(PIXELS[..., :1, :1], 3.0), PIXELS[..., :1, :1])


@pytest.mark.parametrize("sigma", [-1.0, math.nan, math.inf])
def test_sigma_must_be_a_width(sigma: float) -> None:
    with pytest.raises(PellucidError, match="is no width of a blur"):
        blurred(PIXELS, sigma)


def test_an_unknown_fill_is_answered_by_name() -> None:
    with pytest.raises(UnknownName, match="no fill 'grey'; nearest of 6: gray"):
        filled(PIXELS, "grey")
