"""Means of sampled maps against numpy over all samples, and their errors against the slope of each reduction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.saliency.backward import Reduce, reduced
from pellucid.saliency.samples import SampledMaps


def drawn(count: int = 40) -> torch.Tensor:
    """Maps (samples, 3, 4, 5) with a mean that is large beside their spread."""
    chance = torch.Generator().manual_seed(0)
    mean = 1e6 * torch.randn(1, 3, 4, 5, dtype=torch.float64, generator=chance)
    return mean + torch.randn(count, 3, 4, 5, dtype=torch.float64, generator=chance)


def test_mean_and_variance() -> None:
    samples, found = drawn(), SampledMaps()
    for one in samples:
        found.add(one)
    assert np.allclose(found.mean, samples.mean(0), rtol=1e-15)
    assert np.allclose(found.variance, samples.var(0), rtol=1e-8)


@pytest.mark.parametrize("reduce", ["max", "l2", "l1", "signed"])
def test_errors_go_with_the_slope_of_the_reduction(reduce: Reduce) -> None:
    """First order: the variance of Σ slope · sample, slope by central differences of the reduction at the mean."""
    samples, found = drawn(), SampledMaps()
    for one in samples:
        found.add(one)
    value, error = found.reduced(reduce)
    mean = samples.mean(0)
    assert torch.equal(value, reduced(found.mean[None], reduce)[0])
    slopes = torch.zeros_like(mean)
    for channel in range(3):
        step = torch.zeros_like(mean)
        step[channel] = 1.0
        up, down = (reduced((mean + sign * step)[None], reduce)[0] for sign in (1, -1))
        slopes[channel] = (up - down) / 2
    linear = (samples * slopes).sum(1)
    assert np.allclose(error, linear.std(0) / len(samples) ** 0.5, rtol=1e-3)
