"""Soft thresholds: Haar filters make wavelet shrinkage, and the knob turns what was trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.interpretable import SoftAutoencoder, SoftThreshold, psnr


def wavelet_shrinkage(image: np.ndarray, threshold: float) -> np.ndarray:
    """One level of Haar's wavelets, block by block, in plain numbers."""
    found = np.zeros_like(image)
    for y in range(0, image.shape[0], 2):
        for x in range(0, image.shape[1], 2):
            a, b, c, d = image[y, x], image[y, x + 1], image[y + 1, x], image[y + 1, x + 1]
            mean, details = (a + b + c + d) / 2, [(a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]
            p, q, r = (np.sign(one) * max(abs(one) - threshold, 0) for one in details)
            found[y, x : x + 2] = (mean + p + q + r) / 2, (mean - p + q - r) / 2
            found[y + 1, x : x + 2] = (mean + p - q - r) / 2, (mean - p - q + r) / 2
    return found


def test_haar_filters_are_wavelet_shrinkage() -> None:
    images = np.random.default_rng(0).random((2, 3, 8, 12))
    network = SoftAutoencoder.haar(3, threshold=0.15)
    for knob in (0.0, 0.5, 1.0, 3.0):
        found = network.turn(knob)(torch.from_numpy(images).float()).detach().numpy()
        for image, one in zip(images.reshape(6, 8, 12), found.reshape(6, 8, 12), strict=True):
            assert np.abs(wavelet_shrinkage(image - 0.5, 0.15 * knob) + 0.5 - one).max() < 1e-6


def test_the_threshold_is_soft_and_never_negative() -> None:
    layer = SoftThreshold(2, 0.5).double()
    with torch.no_grad():
        layer.raw[1] = -1.0
    x = torch.tensor([[-2.0, -2.0], [0.3, 0.3], [0.7, 1.5]], dtype=torch.float64)
    expected = [[-1.5, -1.0], [0.0, 0.0], [0.2, 0.5]]
    assert torch.allclose(layer(x), torch.tensor(expected, dtype=torch.float64))
    layer.knob = 0.0
    assert torch.equal(layer(x), x)


def test_sizes_are_kept_and_nonsense_is_refused() -> None:
    for size, stride in ((8, 2), (5, 1), (6, 2), (4, 4)):
        assert SoftAutoencoder(1, 4, size, stride)(torch.rand(2, 1, 16, 8)).shape == (2, 1, 16, 8)
    with pytest.raises(PellucidError, match="even number of pixels"):
        SoftAutoencoder(size=7, stride=2)
    with pytest.raises(PellucidError, match="has thresholds"):
        SoftAutoencoder(rectified=True).turn(2)


def test_decibels() -> None:
    assert torch.allclose(
        psnr(torch.full((2, 1, 4, 4), 0.6), torch.full((2, 1, 4, 4), 0.5)).float(), torch.tensor(20.0)
    )
