"""Dropout of the inputs of one linear layer: what masks do to it on average is known in closed form."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pellucid.net.dropout import dropping


def masked(x: torch.Tensor, rate: float, samples: int) -> torch.Tensor:
    """(samples, N, D) numbers (N, D), each image under masks of its own."""
    with dropping(0) as drops:
        drops.begin([(f"image {i}", sample) for sample in range(samples) for i in range(len(x))])
        return F.dropout(x.repeat(samples, 1), rate).view(samples, *x.shape)


@pytest.mark.slow
def test_dropout_of_the_inputs_of_a_linear_regression_is_a_ridge() -> None:
    """E |y − w·(m ⊙ x)/(1 − p)|² = |y − w·x|² + p/(1 − p) Σⱼ E xⱼ² wⱼ² (Srivastava et al. 2014, section 9.1)."""
    chance = np.random.default_rng(1)
    x, w, y = (torch.from_numpy(chance.normal(size=shape)) for shape in ((8, 6), (6,), (8,)))
    for rate in (0.2, 0.5):
        losses = (masked(x, rate, 4000) @ w - y).square().mean(1).numpy()
        penalty = rate / (1 - rate) * float((x.square().mean(0) * w.square()).sum())
        wanted = float((x @ w - y).square().mean()) + penalty
        assert penalty > 0.1 * wanted
        assert losses.mean() == pytest.approx(wanted, rel=0.02)
        assert abs(losses.mean() - wanted) < 3 * losses.std() / np.sqrt(len(losses))


class Every:
    """In place of random numbers: sample k drops the inputs that are 1 in k as a binary number."""

    def __init__(self, seed: int, image: str, what: str, sample: int, call: int) -> None:
        self.sample = sample

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return 1 - (self.sample >> np.arange(shape[-1]) & 1).astype(dtype).reshape(shape)


@pytest.mark.parametrize(("inputs", "rate"), [(3, 0.5), (8, 0.5), (8, 0.3)])
def test_over_all_masks_one_linear_layer_is_the_layer_without_dropout(
    inputs: int, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the 2ᴺ networks the mean logit is the logit of all inputs, and the geometric mean of their probabilities is
    its softmax (Hinton et al. 2012); the mean of their squared errors is the ridge's, exactly."""
    monkeypatch.setattr("pellucid.net.dropout.generator", Every)
    chance = np.random.default_rng(2)
    x, weight = torch.from_numpy(chance.normal(size=(1, inputs))), torch.from_numpy(chance.normal(size=(4, inputs)))
    bias, y = torch.from_numpy(chance.normal(size=4)), torch.from_numpy(chance.normal(size=4))
    every = masked(x, rate, 2**inputs)[:, 0]
    seen = {tuple(row) for row in (every != 0).tolist()}
    assert seen == set(itertools.product((False, True), repeat=inputs))
    kept = (every != 0).double().sum(1)
    probability = (1 - rate) ** kept * rate ** (inputs - kept)
    assert float(probability.sum()) == pytest.approx(1, abs=1e-12)
    logits, whole = F.linear(every, weight, bias), F.linear(x, weight, bias)[0]
    assert torch.allclose(probability @ logits, whole, rtol=0, atol=1e-12)
    geometric = (probability @ logits.log_softmax(1)).softmax(0)
    assert torch.allclose(geometric, whole.softmax(0), rtol=0, atol=1e-12)
    assert not torch.allclose(probability @ logits.softmax(1), whole.softmax(0), atol=1e-3)
    squares = (whole - y).square() + rate / (1 - rate) * weight.square() @ x[0].square()
    assert torch.allclose(probability @ (logits - y).square(), squares, rtol=0, atol=1e-12)
