"""Missing pixels as weighted means of their neighbors, solved together."""

from __future__ import annotations

import numpy as np
import torch

from pellucid.evaluation.imputation import imputed


def test_every_missing_pixel_is_the_mean_of_its_neighbors() -> None:
    pixels = torch.rand(3, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gone = np.random.default_rng(1).random((9, 7)) < 0.6
    found = imputed(pixels, gone, 0, "a", noise=0).numpy()
    assert np.array_equal(found[:, ~gone], pixels.numpy()[:, ~gone])
    for y, x in np.argwhere(gone):
        total, weights = np.zeros(3), 0.0
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                if (down, across) != (0, 0) and 0 <= y + down < 9 and 0 <= x + across < 7:
                    weight = 1 / 6 if 0 in (down, across) else 1 / 12
                    total += weight * found[:, y + down, x + across]
                    weights += weight
        assert np.allclose(found[:, y, x], total / weights, atol=1e-9)


def test_a_flat_image_stays_flat_and_nothing_left_is_the_mean_color() -> None:
    flat = torch.full((1, 6, 6), 0.3, dtype=torch.float64)
    hole = np.zeros((6, 6), bool)
    hole[2:5, 1:4] = True
    assert np.allclose(imputed(flat, hole, 0, "a", noise=0).numpy(), 0.3)
    pixels = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(0))
    alone = imputed(pixels, np.ones((5, 5), bool), 0, "a", noise=0)
    assert np.allclose(alone.numpy(), pixels.mean((1, 2), keepdim=True).expand(-1, 5, 5).numpy(), atol=1e-6)
    assert torch.equal(imputed(pixels, np.zeros((5, 5), bool), 0, "a"), pixels)


def test_a_slope_goes_on_through_holes_inside() -> None:
    """What is linear is its own weighted mean, wherever all eight neighbors are there."""
    down, across = np.mgrid[:24, :31]
    slope = torch.from_numpy(np.stack([0.1 + 0.02 * down + 0.005 * across, 0.9 - 0.01 * across]))
    gone = np.random.default_rng(0).random((24, 31)) < 0.5
    gone[5:19, 6:27] = True
    gone[[0, -1]] = gone[:, [0, -1]] = False
    found = imputed(slope, gone, 0, "a", noise=0)
    assert np.abs(found.numpy() - slope.numpy()).max() < 1e-12
    single = imputed(slope.float(), gone, 0, "a", noise=0)
    assert single.dtype == torch.float32
    assert np.abs(single.numpy() - slope.numpy()).max() < 1e-6


def test_noise_is_that_of_the_seed_and_of_missing_pixels_alone() -> None:
    pixels = torch.full((1, 8, 8), 0.5)
    hole = np.zeros((8, 8), bool)
    hole[:4] = True
    one, two, other = (imputed(pixels, hole, seed, "a") for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(one[:, 4:], pixels[:, 4:])
    assert 0.003 < float(one[:, :4].std()) < 0.02
