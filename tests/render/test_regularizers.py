"""Priors against their sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pellucid.images.perturb import blurred
from pellucid.render.regularizers import L2, Blur, Decay, SmallContribution, SmallNorm, TotalVariation, variation

X = torch.from_numpy(np.random.default_rng(4).standard_normal((2, 3, 6, 7)))
G = torch.from_numpy(np.random.default_rng(5).standard_normal((2, 3, 6, 7)))


@pytest.mark.parametrize("beta", [1, 2, 3.5])
def test_total_variation_is_mahendrans_sum(beta: float) -> None:
    for n, picture in enumerate(X.numpy()):
        total = 0.0
        for c in range(3):
            for i in range(5):
                for j in range(6):
                    right = picture[c, i, j + 1] - picture[c, i, j]
                    lower = picture[c, i + 1, j] - picture[c, i, j]
                    total += (right**2 + lower**2) ** (beta / 2)
        assert float(variation(X, beta)[n]) == pytest.approx(total, rel=1e-10)
        assert float(TotalVariation(0.3, beta)(X)[n]) == pytest.approx(0.3 * total, rel=1e-10)


def test_total_variation_has_a_slope_on_a_flat_picture() -> None:
    flat = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(variation(flat, 1).sum(), flat)
    assert torch.isfinite(slope).all()


def test_l2_is_the_squared_norm() -> None:
    for n, picture in enumerate(X.numpy()):
        assert float(L2(0.1)(X)[n]) == pytest.approx(0.1 * sum(v * v for v in picture.ravel()), rel=1e-12)


def test_decay_and_blur() -> None:
    assert torch.allclose(Decay(0.3)(X, G, 0), 0.7 * X)
    blur = Blur(1.0, 4)
    assert [torch.equal(blur(X, G, step), X) for step in range(8)] == [True, True, True, False] * 2
    assert torch.equal(blur(X, G, 3), blurred(X, 1.0))


def percentile(values: np.ndarray, share: float) -> float:
    """Between the two values at either side, as numpy has it."""
    ordered = sorted(values.ravel())
    at = share / 100 * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


@pytest.mark.parametrize("share", [20, 50, 90])
def test_small_pixels_become_the_mean_color(share: float) -> None:
    for prior, worth in (
        (SmallNorm(share), np.sqrt((X.numpy() ** 2).sum(1))),
        (SmallContribution(share), np.abs((-X.numpy() * G.numpy()).sum(1))),
    ):
        found = prior(X, G, 0).numpy()
        for n in range(2):
            end = percentile(worth[n], share)
            for i in range(6):
                for j in range(7):
                    kept = X.numpy()[n, :, i, j] if worth[n, i, j] >= end else np.zeros(3)
                    assert np.array_equal(found[n, :, i, j], kept)
        assert (found == 0).all(1).mean() == pytest.approx(share / 100, abs=0.03)
