"""Traps of the usual tools that belong to no family: calls that change earlier answers, modes, wrappers, saturation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from tests.networks import ModuleRelu, seeded

X = torch.rand(2, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
IMAGES = Images.from_pictures(list(X), ["a", "b"])


class NaiveGuided:
    """T18: what a tool does that leaves gradients on the user's tensor and hands out their memory."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, x: torch.Tensor) -> np.ndarray:
        x.requires_grad_()
        self.module(x)[:, 1].sum().backward()
        assert x.grad is not None
        return x.grad.numpy()


@pytest.mark.parametrize("method", ["guided_backprop", "gradient", "lrp", "grad_cam", "integrated_gradients"])
def test_a_second_call_changes_no_first_answer(method: str) -> None:
    """T18."""
    net, function = Net(seeded(ModuleRelu), preprocess=Preprocess()), getattr(pl.attribution, method)
    first = function(net, IMAGES, 1)
    kept = first.array.copy()
    second = function(net, IMAGES, 1)
    assert np.array_equal(kept, first.array)
    assert np.array_equal(kept, second.array)
    assert not np.shares_memory(first.array, second.array)
    assert all(p.grad is None for p in net.module.parameters())


def test_the_naive_second_call_would() -> None:
    naive, x = NaiveGuided(seeded(ModuleRelu)), X.clone()
    first = naive(x)
    kept = first.copy()
    second = naive(x)
    assert np.allclose(second, 2 * kept)
    assert np.shares_memory(first, second)


def test_a_network_in_training_mode() -> None:
    """T20: dropout and batch norm in training mode would give another map at each call."""
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 3),
    ).double()  # fmt: skip
    naive = [torch.autograd.functional.jacobian(lambda x: module(x)[:, 1].sum(), X) for _ in range(2)]
    assert not torch.equal(*naive)
    net = Net(module.train(), preprocess=Preprocess())
    maps = [pl.attribution.gradient(net, IMAGES, 1).array for _ in range(2)]
    assert np.array_equal(*maps)
    assert module.training
    assert np.array_equal(
        maps[0], pl.attribution.gradient(Net(module.eval(), preprocess=Preprocess()), IMAGES, 1).array
    )


def test_data_parallel_is_looked_into() -> None:
    """T29: hooks on replicas overwrite one another; the wrapped network itself is explained, under its own names."""
    module = seeded(ModuleRelu)
    bare, wrapped = (pl.load(m, size=(9, 9)) for m in (module, nn.DataParallel(module)))
    for method in ("grad_cam", "guided_backprop", "lrp"):
        first, second = (getattr(pl.attribution, method)(net, IMAGES, 1) for net in (bare, wrapped))
        assert np.array_equal(first.array, second.array)
        assert first.meta.layer == second.meta.layer


def test_a_saturated_probability_says_so() -> None:
    """T23: the gradient of a probability near 1 is nothing; of its logit it is not."""
    module = seeded(ModuleRelu)
    with torch.no_grad():
        module.head.bias[1] += 15  # type: ignore[union-attr, operator]
    net = Net(module, "sure", Preprocess(), Labels.plain(["a", "b", "c", "d"]))
    heat, logit = pl.attribution.gradient(net, IMAGES, "p(b)"), pl.attribution.gradient(net, IMAGES, "b")
    assert any("p(b) is saturated at 1.00000" in note for note in heat.meta.said)
    assert np.abs(heat.array).max() < 1e-3 * np.abs(logit.array).max()
    assert not any("saturated" in note for note in logit.meta.said)
