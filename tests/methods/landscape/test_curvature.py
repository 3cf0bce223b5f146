"""Curvature: eigenvalues and trace of the dense Hessian, within what is said of their errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.density import density, signs, trace
from pellucid.loss.labeled import labeled
from pellucid.loss.products import Curved
from tests.loss.networks import data, net_of
from tests.loss.test_products import dense


@pytest.mark.slow
def test_the_ends_of_the_spectrum_are_those_of_the_dense_hessian() -> None:
    net = net_of(
        nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.Softplus(), nn.Flatten(), nn.Linear(36, 3))
    )
    whole = dense(Curved.of(net, labeled(net, data().on(net))))
    truth = torch.linalg.eigvalsh(whole).numpy()
    found = pl.landscape.curvature(net, data(), products=90, tolerance=1e-9, probes=6)
    assert found.values[0] == pytest.approx(truth[-1], abs=1e-8)
    assert found.values[-1] == pytest.approx(truth[0], abs=1e-8)
    assert found.converged[0]
    assert found.converged[-1]
    assert found.parameters == len(truth)
    (traced,) = [one for one in found.estimates if one.name == "trace"]
    assert abs(traced.value - truth.sum()) <= traced.error
    assert found.weights.sum() == pytest.approx(1)
    coarse = pl.landscape.curvature(net, data(), products=4, probes=0)
    assert not coarse.converged[-1]
    assert any("not converged" in one for one in coarse.findings)
    assert any(note.topic == "sampling" for note in coarse.meta.notes)


def test_one_layer_alone_is_its_block() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.Tanh(), nn.Linear(5, 3)))
    found = pl.landscape.curvature(net, data(), layers=("3",), probes=0, products=18, tolerance=1e-10)
    block = dense(Curved.of(net, labeled(net, data().on(net)), ["3.weight", "3.bias"]))
    assert found.parameters == 18
    assert found.values[0] == pytest.approx(float(torch.linalg.eigvalsh(block)[-1]), abs=1e-9)
    with pytest.raises(PellucidError, match="no parameter of net begins so"):
        pl.landscape.curvature(net, data(), layers=("layer4",))


def test_a_trace_is_within_its_error_in_95_of_100_seeds() -> None:
    from scipy.stats import t

    generator = torch.Generator().manual_seed(0)
    rotation, _ = torch.linalg.qr(torch.randn(120, 120, generator=generator, dtype=torch.float64))
    values = torch.cat([torch.tensor([16.0, 8, 4]), 0.1 * torch.randn(117, generator=generator, dtype=torch.float64)])
    matrix = (rotation * values) @ rotation.T
    inside = 0
    for seed in range(100):
        probes = signs(10, 120, [np.random.default_rng([seed, i]) for i in range(10)], torch.device("cpu"))
        found = trace(lambda row: matrix @ row, probes)
        inside += abs(found.value - float(values.sum())) <= t.ppf(0.99, 9) * found.error
    assert inside >= 95


def test_the_density_has_the_moments_of_the_spectrum() -> None:
    values = torch.linspace(-1, 3, 40, dtype=torch.float64)
    probes = signs(6, 40, [np.random.default_rng(i) for i in range(6)], torch.device("cpu"))
    nodes, weights, means = density(lambda row: values * row, probes, 20)
    assert weights.sum() == pytest.approx(1)
    # random signs have components of equal size: on a diagonal matrix every probe is exact
    assert (weights * nodes).sum() == pytest.approx(float(values.mean()), abs=1e-9)
    assert (weights * nodes**2).sum() == pytest.approx(float(values.square().mean()), abs=1e-9)
    assert means == pytest.approx(np.full(6, float(values.mean())))
