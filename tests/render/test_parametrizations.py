"""Parametrizations against slow plain float64."""

from __future__ import annotations

import cmath
import math
from itertools import product

import numpy as np
import pytest
import torch

from pellucid.errors import Refused
from pellucid.render.magnitude import Magnitude
from pellucid.render.parametrizations import Fourier, Pixels
from pellucid.render.spectrum import RINGS, amplitudes, decolored, frequencies, recolored
from pellucid.rng import generator

SIZES = [(6, 8), (7, 8), (6, 7), (5, 5), (8, 3)]
COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]]) / math.sqrt(0.26**2 + 2 * 0.27**2)


def chance(n: int = 1) -> list[np.random.Generator]:
    return [generator(3, "test", i) for i in range(n)]


def wave(i: int, n: int) -> float:
    """The frequency of coefficient i out of n, in cycles per pixel."""
    return (i if i <= (n - 1) // 2 else i - n) / n


def slow_inverse(waves: np.ndarray, height: int, width: int) -> np.ndarray:
    """The inverse transform of a real picture from half of its coefficients, with 1 / (H · W), term by term."""
    found = np.zeros((height, width))
    for y, x in product(range(height), range(width)):
        total = 0.0
        for v, u in product(range(height), range(width // 2 + 1)):
            twice = 1 if u == 0 or (width % 2 == 0 and u == width // 2) else 2  # its mirror image is not stored
            total += twice * (waves[v, u] * cmath.exp(2j * math.pi * (v * y / height + u * x / width))).real
        found[y, x] = total / (height * width)
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decay", [0, 1, 1.5])
def test_fourier_is_lucids_formula(size: tuple[int, int], decay: float) -> None:
    """s = √(HW) / max(f, 1/max(H, W))^d; irfft2(s (p₀ + i p₁)) / 4; colors; sigmoid."""
    height, width = size
    image = Fourier(decay)
    numbers = image.begin(chance(), 3, size) * 100
    p = numbers[0].numpy()
    z = np.zeros((3, height, width))
    for c in range(3):
        waves = np.zeros((height, width // 2 + 1), dtype=complex)
        for v, u in product(range(height), range(width // 2 + 1)):
            f = math.hypot(wave(v, height), u / width)
            scale = math.sqrt(height * width) / max(f, 1 / max(height, width)) ** decay
            waves[v, u] = scale * complex(p[0, c, v, u], p[1, c, v, u])
        z[c] = slow_inverse(waves, height, width) / 4
    expected = np.zeros_like(z)
    for y, x, r in product(range(height), range(width), range(3)):
        expected[r, y, x] = 1 / (1 + math.exp(-sum(COLORS[r, c] * z[c, y, x] for c in range(3))))
    assert np.abs(image.pixels(numbers, size)[0].numpy() - expected).max() < 1e-12
    assert expected.std() > 0.01


def test_colors_are_those_of_natural_pictures() -> None:
    gray = recolored(torch.tensor([1.0, 0, 0], dtype=torch.float64).view(1, 3, 1, 1)).flatten()
    assert gray.tolist() == pytest.approx([0.5628, 0.5845, 0.5845], abs=1e-4)
    values = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    assert torch.allclose(decolored(recolored(values)), values, rtol=0, atol=1e-12)
    assert torch.equal(recolored(values, colors=False), values)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_numbers_of_channels_have_no_colors(channels: int) -> None:
    values = torch.rand(1, channels, 4, 4)
    assert torch.equal(recolored(values), values)
    for image in (Pixels(), Fourier(), Magnitude()):
        pixels = image.pixels(image.begin(chance(), channels, (8, 6)), (8, 6))
        assert pixels.shape == (1, channels, 8, 6)
        assert pixels.min() >= 0
        assert pixels.max() <= 1


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (5, 6)])
@pytest.mark.parametrize("image", [Pixels(), Fourier(), Fourier(1.5, 0.01, False)])
def test_begins_as_a_photo(image: Pixels | Fourier, size: tuple[int, int]) -> None:
    photo = torch.rand(2, 3, *size, dtype=torch.float64) * 0.9 + 0.05
    assert torch.allclose(image.pixels(image.numbers(photo), size), photo, rtol=0, atol=1e-10)


def test_fourier_starts_as_small_noise() -> None:
    numbers = Fourier().begin(chance(4), 3, (16, 16))
    assert float(numbers.std()) == pytest.approx(0.01, rel=0.05)
    assert float((Fourier().pixels(numbers, (16, 16)) - 0.5).abs().max()) < 0.1


def test_pixels_start_around_the_networks_mean_color() -> None:
    mean = (0.2, 0.5, 0.8)
    start = Pixels(10 / 255).begin(chance(), 3, (64, 64), mean)[0]
    assert start.mean((1, 2)).tolist() == pytest.approx(mean, abs=0.003)
    assert float(start.std((1, 2)).mean()) == pytest.approx(10 / 255, rel=0.05)
    assert float(Pixels(0, 0.25).begin(chance(), 3, (4, 4), mean).std()) == 0
    outside = torch.tensor([-0.5, 0.5, 1.5])
    assert Pixels().valid(outside).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("size", [(12, 16), (13, 16), (12, 15), (9, 9)])
def test_magnitude_keeps_every_amplitude(size: tuple[int, int]) -> None:
    """Of the variable and, up to one factor, of the picture before the sigmoid: after any number of steps."""
    image = Magnitude()
    numbers = image.begin(chance(2), 3, size)
    m = amplitudes(size).expand(2, -1, -1, -1)
    for i in range(3):
        assert torch.allclose(image.waves(numbers, size).abs(), m, rtol=1e-12, atol=1e-12)
        logits = decolored(torch.logit(image.pixels(numbers, size)))
        found = torch.fft.rfft2(logits, norm="ortho").abs()
        factor = (found[:, 0, 1, 1] / m[:, 0, 1, 1]).view(2, 1, 1, 1)
        off = (found - factor * m).abs()
        off[:, :, 0, 0] = 0  # the mean color
        assert float(off.max()) < 1e-8
        numbers = numbers + (i + 1) * torch.from_numpy(chance()[0].standard_normal(numbers.shape))


def test_magnitude_is_standardized() -> None:
    pixels = Magnitude().pixels(Magnitude().begin(chance(2), 3, (16, 12)), (16, 12))
    values = decolored(torch.logit(pixels)).flatten(1)
    assert values.mean(1).abs().max() < 1e-10
    assert torch.allclose(values.std(1, correction=0), torch.ones(2, dtype=torch.float64), atol=1e-10)
    with pytest.raises(Refused, match="amplitudes are its own"):
        Magnitude().numbers(pixels)


def test_amplitudes_fall_like_those_of_photos() -> None:
    m, f = amplitudes((256, 256)), frequencies((256, 256))
    assert m.shape == (3, 256, 129)
    assert m[:, 0, 0].tolist() == pytest.approx([2.03, 2.92, 2.30], abs=0.01)
    assert float(m[0, 0, 1]) == pytest.approx(1)
    for row in m:
        slope = np.polyfit(np.log(f[1:100, 0].numpy()), np.log(row[1:100, 0].numpy()), 1)[0]
        assert -1.6 < slope < -0.9
    assert RINGS[0] == pytest.approx(1 / 256)
    assert RINGS[-1] == pytest.approx(math.sqrt(0.5))
    assert (amplitudes((1280, 1280))[:, 0, 1] > m[:, 0, 1]).all()  # beyond the lowest ring it goes on rising
    assert amplitudes((8, 8), 4).shape == (4, 8, 5)
