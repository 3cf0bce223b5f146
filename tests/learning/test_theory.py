"""Mean field theory against its closed forms and the table of the reference; initialization against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn
from torch.nn.utils import parametrizations, prune

from pellucid.errors import PellucidError
from pellucid.learning import theory
from pellucid.learning.initial import SCHEMES, Scheme, fans, initialized
from pellucid.learning.networks import MLP, ResNet, seeded
from pellucid.net import tap


@pytest.mark.slow
def test_critical_weights_are_those_of_the_table() -> None:
    """Of tanh: σ_b² -> σ_w², q*."""
    for bias, weight, q in ((0.01, 1.4242, 0.2733), (0.05, 1.7610, 0.5700), (0.2, 2.2852, 1.1645)):
        found = theory.critical("tanh", bias)
        assert found == pytest.approx(weight, abs=6e-5)
        assert theory.fixed_length("tanh", found, bias) == pytest.approx(q, abs=6e-5)
    assert theory.susceptibility("tanh", 1, 0.05) == pytest.approx(0.7590, abs=5e-5)
    assert theory.fixed_length("tanh", 1, 0.05) == pytest.approx(0.1936, abs=5e-5)
    assert theory.susceptibility("tanh", 4, 0.05) == pytest.approx(1.3424, abs=5e-5)
    for weight in (1.0, 2.0, 3.0):
        assert theory.growth(0.7, "relu", weight) == pytest.approx(weight / 2, rel=1e-12)
        assert theory.length(0.7, "relu", weight) == pytest.approx(0.35 * weight, rel=1e-6)
    assert pytest.approx(1.2112, abs=5e-5) == theory.BATCH_NORM
    assert theory.depth_scale(0.5) == pytest.approx(1 / math.log(2))
    assert theory.fixed_length("relu", 3.0) == math.inf


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "silu", "gelu"])
def test_quadrature_is_the_integral(activation: str) -> None:
    function = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": nn.functional.silu, "gelu": nn.functional.gelu}

    def value(z: float) -> float:
        h = float(function[activation](torch.tensor(1.3 * z, dtype=torch.float64)))
        return h**2 * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    assert theory.length(1.69, activation, 2.0, 0.1) == pytest.approx(2 * quad(value, -12, 12)[0] + 0.1, rel=1e-8)


def test_growth_is_what_wide_networks_show() -> None:
    """χ of tanh by ‖∂L/∂z‖² over layers of width 300."""
    for weight in (1.0, 4.0):
        ratios = []
        for seed in range(3):
            chance = np.random.default_rng(seed)
            ws = [chance.normal(size=(300, 300)) * math.sqrt(weight / 300) for _ in range(14)]
            bs = [chance.normal(size=300) * math.sqrt(0.05) for _ in range(14)]
            h, zs = chance.normal(size=300), []
            for w, b in zip(ws, bs, strict=True):
                zs.append(w @ h + b)
                h = np.tanh(zs[-1])
            delta, norms = chance.normal(size=300), []
            for w, z in zip(ws[::-1], zs[-2::-1], strict=False):
                delta = (w.T @ delta) / np.cosh(z) ** 2
                norms.append((delta**2).sum())
            ratios.append((norms[9] / norms[1]) ** (1 / 8))
        assert np.mean(ratios) == pytest.approx(theory.susceptibility("tanh", weight, 0.05), rel=0.06)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_are_drawn_as_defined(scheme: Scheme) -> None:
    module = seeded(lambda: nn.Sequential(nn.Conv2d(8, 60, 3, groups=2), nn.ReLU(), nn.ConvTranspose2d(60, 20, 3)), 0)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    chance = torch.Generator().manual_seed(0)
    found = initialized(module, scheme, 0, torch.rand(16, 8, 7, 7, generator=chance))
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert fans(module[0]) == (36, 270)
    assert fans(module[2]) == (540, 180)
    for part in (found[0], found[2]):
        n_in, n_out = fans(part)
        weight = part.weight.detach().double()
        assert not part.bias.any()
        if scheme in ("zeros", "constant"):
            assert torch.allclose(weight, torch.full_like(weight, 0 if scheme == "zeros" else 0.01))
        elif scheme in ("orthogonal", "lsuv"):
            rows = weight.reshape(len(weight), -1)
            gram = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
            assert torch.allclose(gram, gram[0, 0] * torch.eye(len(gram), dtype=torch.float64), atol=1e-5)
        else:
            variance = {"small": 1e-4, "unit": 1, "xavier": 2 / (n_in + n_out), "he": 2 / n_in, "lecun": 1 / n_in}[
                scheme
            ]
            assert float(weight.var()) == pytest.approx(variance, rel=0.08)
    if scheme == "lsuv":
        inputs = torch.rand(16, 8, 7, 7, generator=torch.Generator().manual_seed(0))
        assert float(tap.forward(found, inputs, at=["0"])[1]["0"].var()) == pytest.approx(1, abs=0.02)
        assert float(found(inputs).detach().var()) == pytest.approx(1, abs=0.02)


def test_a_weight_depends_on_its_seed_and_name_alone() -> None:
    first, other = MLP(16, 3, depth=2, width=8), MLP(16, 3, depth=5, width=8)
    pair = [initialized(one, "he", 4).hidden[1].linear.weight for one in (first, other)]
    assert torch.equal(*pair)
    assert not torch.equal(pair[0], initialized(first, "he", 5).hidden[1].linear.weight)
    normed = initialized(ResNet(1, 3, depth=8), "he", 0)
    normed(torch.rand(4, 1, 8, 8))
    assert int(initialized(normed, "he", 0).bn1.num_batches_tracked) == 0


def test_computed_weights_are_set_through_their_parametrization_and_old_hooks_refused() -> None:
    module = nn.Sequential(parametrizations.weight_norm(nn.Linear(40, 30)))
    weight = initialized(module, "he", 0)[0].weight.detach()
    assert float(weight.var()) == pytest.approx(2 / 40, rel=0.15)
    pruned = nn.Sequential(nn.Linear(4, 3))
    prune.l1_unstructured(pruned[0], "weight", 0.5)
    with pytest.raises(PellucidError, match="old style"):
        initialized(pruned, "he", 0)
    with pytest.raises(PellucidError, match="give it inputs"):
        initialized(nn.Linear(3, 3), "lsuv")
