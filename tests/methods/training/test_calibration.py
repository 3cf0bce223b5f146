"""Calibration, against the definitions in slow plain numbers, and published networks against measured figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.methods.training._temperature import fitted, scaled
from pellucid.net import Labels, Net, Preprocess
from pellucid.statistics import wilson
from tests.methods.training.networks import c4k, cifar

Shared = Callable[[str], Path]


class Told(nn.Module):
    """Logits that are the mean of each third of the image's columns, times a factor."""

    def __init__(self, times: float = 1.0) -> None:
        super().__init__()
        self.times = nn.Parameter(torch.tensor(float(times)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([one.mean((1, 2, 3)) for one in x.chunk(3, -1)], 1) * self.times


def net(module: nn.Module, **how: Any) -> Net:
    preprocess = Preprocess(resize=6, crop=(6, 6), mean=(0.0,) * 3, std=(1.0,) * 3)
    return Net(module.double(), "told", preprocess, Labels.plain(["a", "b", "c"]), **how)


def images(n: int, sharp: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose classes are drawn from a softmax of `sharp` times their thirds."""
    chance = np.random.default_rng(seed)
    thirds = chance.random((n, 3))
    p = np.exp(sharp * thirds)
    labels = (chance.random((n, 1)) > np.cumsum(p / p.sum(1, keepdims=True), 1)).sum(1)
    return thirds.repeat(2, 1)[:, None, None].repeat(3, 1).repeat(6, 2), labels


def test_it_is_what_the_definitions_say() -> None:
    data = images(300, 4)
    found = pl.training.calibration(net(Told(8)), data, bins=5, resamples=50)
    logits = 8 * data[0][:, 0, 0, ::2]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    t = found.meta.found["temperature"]
    best = min(np.linspace(0.5, 8, 3001), key=lambda u: nll(logits[:150] / u, data[1][:150]))
    assert t == pytest.approx(best, abs=5e-3)
    heated = np.exp(logits / t) / np.exp(logits / t).sum(1, keepdims=True)
    rows = {row["measure"]: row for row in found["measures"].rows}
    for column, q in (("before", p[150:]), ("after", heated[150:])):
        labels = data[1][150:]
        right = q.argmax(1) == labels
        assert rows["ECE"][column] == pytest.approx(ece(q.max(1), right, 5), abs=1e-7)
        each = [ece(q[:, k], labels == k, 5) for k in range(3)]
        assert rows["ECE, class-wise"][column] == pytest.approx(np.mean(each), abs=1e-7)
        truth = np.eye(3)[labels]
        assert rows["Brier"][column] == pytest.approx(((q - truth) ** 2).sum(1).mean(), abs=1e-7)
        assert rows["NLL"][column] == pytest.approx(-np.log(q[np.arange(150), labels]).mean(), abs=1e-7)
        order = np.argsort(q.max(1), kind="stable").reshape(5, 30)  # bins of 30 images each
        mass = np.mean([abs(right[one].mean() - q.max(1)[one].mean()) for one in order])
        assert rows["ECE, equal mass"][column] == pytest.approx(mass, abs=1e-7)
    assert rows["ECE"]["after"] < 0.7 * rows["ECE"]["before"]
    assert "overconfident" in found.findings[0]
    assert found.curves["reliability"].checks[0].passed


def ece(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
    total = 0.0
    for i in range(bins):
        inside = (confidence > i / bins) & (confidence <= (i + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def nll(logits: np.ndarray, labels: np.ndarray) -> float:
    return float((np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]).mean())


def test_a_network_that_says_what_it_is_worth_is_found_to_be_calibrated() -> None:
    found = pl.training.calibration(net(Told(4)), images(1000, 4), resamples=100)
    assert "as calibrated as" in found.findings[0]
    assert abs(found.meta.found["temperature"] - 1) < 3 * found.meta.found["temperature_error"]


def test_the_error_of_the_temperature_is_its_spread() -> None:
    drawn = []
    for seed in range(60):
        thirds, labels = images(200, 4, seed)
        log_p = scaled(8 * thirds[:, 0, 0, ::2], 1)
        drawn.append(fitted(log_p, labels))
    values, errors = np.array(drawn).T
    assert 0.7 < values.std(ddof=1) / errors.mean() < 1.4


def test_nothing_is_shown_on_images_that_it_was_fitted_to() -> None:
    pixels, labels = images(100, 4)
    first = pl.training.calibration(net(Told(8)), (pixels, labels), resamples=20)
    mixed = labels.copy()
    mixed[:50] = mixed[:50][::-1]  # other labels for the half that is fitted to: the other half is as before
    again = pl.training.calibration(net(Told(8)), (pixels, mixed), resamples=20)
    assert first["measures"]["before"] == again["measures"]["before"]
    assert first["measures"]["after"] != again["measures"]["after"]
    chosen = pl.training.calibration(net(Told(8)), (pixels, labels), resamples=20, split="random", seed=1)
    assert chosen["measures"]["before"] != first["measures"]["before"]


def test_outputs_count_as_what_they_are() -> None:
    class Soft(Told):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).softmax(1)

    data = images(60, 4)
    one, other = (pl.training.calibration(net(kind(8)), data, resamples=20) for kind in (Told, Soft))
    assert np.allclose(one["measures"]["after"], other["measures"]["after"], atol=1e-12)
    with pytest.raises(PellucidError, match="regression"):
        pl.training.calibration(net(Told(), scores="regression"), data)
    with pytest.raises(PellucidError, match="each label of this network stands by itself"):
        pl.training.calibration(net(Told(), scores="multilabel"), data)


def test_wilson_is_the_score_interval() -> None:
    low, high = wilson(np.array([0.0, 5.0, 10.0]), np.array([10.0, 10.0, 10.0]))
    for end in (low[1], high[1]):  # the ends solve |p − 1/2| = z √(p (1 − p) / n)
        assert abs(end - 0.5) == pytest.approx(1.959963984540054 * np.sqrt(end * (1 - end) / 10), abs=1e-12)
    assert low[0] == 0
    assert high[2] == 1
    assert high[0] == pytest.approx(0.2775, abs=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_cifar(shared: Shared) -> None:
    found = pl.training.calibration(cifar(shared, "resnet20"), c4k(shared))
    rows = {row["measure"]: row for row in found["measures"].rows}
    assert found.meta.found["temperature"] == pytest.approx(2.374, abs=0.02)
    for column, error, loss in (("before", 0.0545, 0.4056), ("after", 0.0124, 0.2645)):
        assert rows["ECE"][column] == pytest.approx(error, abs=0.002)
        assert rows["NLL"][column] == pytest.approx(loss, abs=0.002)
