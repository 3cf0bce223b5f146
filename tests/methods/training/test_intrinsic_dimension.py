"""Intrinsic dimension: training in a subspace against plain algebra, and the figures of the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.learning.experiment import Experiment
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.subspace import Directions, Projected
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.methods.training.intrinsic_dimension import crossing
from pellucid.net import Net, Preprocess
from tests.methods.training.test_gradient_flow import HOW, data


def small() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                                        nn.Linear(4 * 36, 5)), 1).double()  # fmt: skip


def test_columns_are_random_directions_of_length_one() -> None:
    found = Directions(9000, 6, 3, torch.zeros(1, dtype=torch.float64))
    assert found.kept is not None
    gram = (found.kept.T @ found.kept).numpy()
    assert np.allclose(np.diag(gram), 1, atol=1e-6)
    assert np.abs(gram - np.eye(6)).max() < 5 / math.sqrt(9000)
    other = Directions(9000, 6, 4, torch.zeros(1, dtype=torch.float64)).kept
    assert other is not None
    assert (found.kept.T @ other).abs().max() < 5 / math.sqrt(9000)


def test_a_matrix_that_is_drawn_anew_is_the_same() -> None:
    like = torch.zeros(1, dtype=torch.float64)
    kept, drawn = Directions(9001, 7, 0, like), Directions(9001, 7, 0, like, dense=0)
    assert drawn.kept is None
    v, g = torch.randn(7).double(), torch.randn(9001).double()
    assert torch.allclose(kept.times(v), drawn.times(v), atol=1e-13)
    assert torch.allclose(kept.transposed(g), drawn.transposed(g), atol=1e-12)


@pytest.mark.parametrize("dense", [0, 2**20])
def test_the_gradient_of_v_is_that_of_all_weights_seen_along_the_directions(dense: int) -> None:
    module, inputs = small(), torch.rand(6, 1, 8, 8, dtype=torch.float64)
    plain = small()
    projected = Projected(module, 5, 0, dense)
    assert [name for name, p in projected.named_parameters() if p.requires_grad] == ["v"]
    assert torch.equal(projected(inputs), plain.train()(inputs))
    plain(inputs).square().sum().backward()
    full = torch.cat([p.grad.flatten() for p in plain.parameters() if p.grad is not None])
    projected(inputs).square().sum().backward()
    matrix = Directions(len(full), 5, 0, full).kept
    assert matrix is not None
    assert projected.v.grad is not None
    assert torch.allclose(projected.v.grad, matrix.T @ full, atol=1e-10)
    with torch.no_grad():
        projected.v += torch.arange(5.0).double()
    start = torch.cat([p.detach().flatten() for p in plain.parameters()])
    moved = torch.cat([one.flatten() for one in projected.moved().values()])
    assert torch.allclose(moved, start + matrix @ torch.arange(5.0).double(), atol=1e-12)


def test_numbers_are_those_of_the_training_itself() -> None:
    net = Net(MLP(64, 10, depth=1, width=12), "mlp", HOW)
    found = pl.training.intrinsic_dimension(net, data(40), dimensions=(30, 4), epochs=3, repeats=1, samples=24)
    experiment = Experiment.of(net, data(40), 24, 0)
    size = 64 * 12 + 12 + 12 * 10 + 10
    assert found["dimensions"]["dimension"] == (4, 30, size)
    for row in found["dimensions"].rows:
        d, module = row["dimension"], experiment.fresh(0)
        module = module if d == size else Projected(module, d, 0)
        lr = 1e-3 if d == size else 1e-2 * math.sqrt(size / d)
        recipe = Recipe(epochs=3, optimizer="adam", lr=lr, schedule="cosine")
        last = train(module, experiment.given, recipe, test=experiment.test).epochs[-1]
        assert (row["accuracy"], row["train accuracy"]) == (last.test_accuracy, last.train_accuracy)


def test_the_dimension_is_where_the_curve_crosses() -> None:
    rows = [{"dimension": d, "accuracy": a, "± accuracy": 0.05} for d, a in ((10, 0.2), (100, 0.6), (1000, 0.9))]
    assert crossing(rows, 0, 0.4) == pytest.approx(55)
    assert crossing(rows, 0, 0.75) == pytest.approx(550)
    assert crossing(rows, 1, 0.75) == pytest.approx(400)
    assert crossing(rows, -1, 0.88) is None
    assert crossing(rows, 0, 0.1) == pytest.approx(10)


@pytest.mark.slow
def test_more_weights_need_no_more_directions() -> None:
    """Reference: width 32 (3,466 weights) and 128 (26,122) reach 90 % with about 125 to 140 directions both."""
    pytest.importorskip("sklearn")
    found = []
    for width in (32, 128):
        net = Net(MLP(64, 10, depth=2, width=width), "mlp", Preprocess(channels=1, crop=(8, 8)))
        study = pl.training.intrinsic_dimension(net, digits(1796).data, dimensions=(40, 120, 200), repeats=1)
        found.append(study.meta.found["d_int90"])
        assert 0.4 < study["dimensions"]["accuracy"][0] < 0.75  # of 40: .586 and .519 there
        assert study["dimensions"]["accuracy"][-1] > 0.9
    assert all(80 < one < 200 for one in found)
    assert found[1] < 1.5 * found[0]
