"""Gradient flow: the seven verdicts on deep chains, silence on healthy networks, and the numbers against autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.data import Data
from pellucid.learning.flow import Flow, flow
from pellucid.learning.initial import Scheme, initialized
from pellucid.learning.networks import MLP, ActivationName
from pellucid.learning.verdicts import judged
from pellucid.net import Net, Preprocess
from pellucid.result import Study
from tests.net.test_load import cifar_resnet

HOW = Preprocess(channels=1, crop=(8, 8), mean=(0.5,), std=(0.29,))


def data(n: int = 64, seed: int = 0) -> Data:
    chance = np.random.default_rng(seed)
    return Data.of((chance.random((n, 1, 8, 8)).astype(np.float32), np.arange(n) % 10), pixels="0..1")


def chain(scheme: Scheme, activation: ActivationName = "relu", seed: int = 0, norm: bool = False) -> Net:
    """Fifty layers of width 64."""
    return Net(initialized(MLP(64, 10, depth=50, activation=activation, norm=norm), scheme, seed), "chain", HOW)


def verdict(found: Study) -> str:
    return str(found["verdicts"]["verdict"][0])


TABLE: list[tuple[Scheme, ActivationName, bool, str]] = [
    ("small", "relu", False, "signal vanishes"),
    ("unit", "relu", False, "explodes"),
    ("xavier", "relu", False, "signal vanishes"),
    ("he", "relu", False, "healthy"),
    ("xavier", "tanh", False, "signal fades"),
    ("xavier", "sigmoid", False, "gradient vanishes"),
    ("he", "relu", True, "gradient explodes"),
]
"""The table of the reference: scheme, activation, batch norm, what is wrong."""


def measured(net: Net, seed: int, norms: str) -> Flow:
    chance = np.random.default_rng(seed)
    images = pl.read([chance.random((8, 8)).astype(np.float32) for _ in range(64)], channels=1)
    return flow(net, net.prepare(images), torch.arange(64) % 10, norms)


@pytest.mark.parametrize(("scheme", "activation", "norm", "wanted"), TABLE)
def test_each_verdict_of_the_table(scheme: Scheme, activation: ActivationName, norm: bool, wanted: str) -> None:
    """More seeds stand in the slow test below."""
    found = pl.training.gradient_flow(chain(scheme, activation, 0, norm), data(), norms="batch" if norm else "frozen")
    assert verdict(found) == wanted, found.findings


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "activation", "norm", "wanted"), TABLE)
def test_each_verdict_for_other_seeds(scheme: Scheme, activation: ActivationName, norm: bool, wanted: str) -> None:
    for seed in (1, 2, 3):
        found = judged(measured(chain(scheme, activation, seed, norm), seed, "batch" if norm else "frozen"))
        assert [one.name for one in found] == [wanted], (seed, found)


def test_weight_gradients_would_not_see_it() -> None:
    """What is refuted: with Xavier and rectifiers the gradients by the first and the last weights are of one size,
    while the signal shrinks by more than a million."""
    net = chain("xavier")
    pixels = torch.cat([net.prepare(data().item(i)[0]).pixels for i in range(64)])
    F.cross_entropy(net.module(HOW.normalize(pixels)), torch.arange(64) % 10).backward()
    hidden = [part.linear.weight.grad for part in net.module.hidden]
    assert 0.1 < float(hidden[0].norm() / hidden[-1].norm()) < 10
    net.module.zero_grad()
    found = pl.training.gradient_flow(net, data())
    assert found["verdicts"]["signal change"][0] < 1e-6
    assert "signal vanishes" in found.findings[0]


class Odd(nn.Module):
    """A rectifier as a function and in place, a skip, two calls of one layer, tanh, grouped and transposed layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.twice = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.up, self.head = nn.ConvTranspose2d(4, 2, 2, 2), nn.Linear(2, 10)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x), inplace=True)
        h = h + self.twice(h)
        h = torch.tanh(self.twice(h))
        return self.head(self.up(h).mean((2, 3)))


def test_numbers_are_those_of_autograd() -> None:
    """In plain float64, with the pass written out and no hook."""
    torch.manual_seed(0)
    module = Odd().double()
    with torch.no_grad():
        module.first.bias[1] = -100.0  # a dead unit
    net = Net(module, "odd", HOW)
    found = pl.training.gradient_flow(net, data(), samples=20, seed=3)["layers"]
    some = data().on(net).subset(20, 3)
    pixels = torch.cat([net.prepare(some.item(i)[0]).pixels for i in range(20)]).double()
    labels = torch.tensor([some.item(i)[1] for i in range(20)])
    a = module.first(HOW.normalize(pixels.float()).double())
    r = a.relu()
    b = module.twice(r)
    c = module.twice(r + b)
    d = module.up(c.tanh())
    e = module.head(d.mean((2, 3)))
    slopes = torch.autograd.grad(F.cross_entropy(e, labels, reduction="sum"), [a, b, c, d, e])
    assert found["layer"] == ("first", "twice#1", "twice#2", "up", "head")
    assert np.allclose(found["std"], [float(h.detach().std(correction=0)) for h in (a, b, c, d, e)], rtol=1e-6)
    assert np.allclose(found["gradient"], [float((s**2).mean().sqrt()) for s in slopes], rtol=1e-6)
    assert found["dead"][0] == 0.25
    assert found["saturated"][2] == pytest.approx(float((c.tanh().abs() >= 0.99).double().mean()))
    assert found["saturated"][0] is None
    assert found["dead"][2] is None


def test_batch_statistics_are_those_of_training() -> None:
    """What comes out of a network in training mode, of all images at once; nothing is changed by it."""
    torch.manual_seed(0)
    net = Net(MLP(64, 10, depth=3, norm=True).double(), "normed", HOW)
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    found = pl.training.gradient_flow(net, data(20), samples=20, norms="batch")["layers"]
    frozen = pl.training.gradient_flow(net, data(20), samples=20)
    assert all(torch.equal(before[name], value) for name, value in net.module.state_dict().items())
    pixels = torch.cat([net.prepare(data().item(i)[0]).pixels for i in range(20)])
    seen = []
    hooks = [
        part.linear.register_forward_hook(lambda *given: seen.append(given[2].detach())) for part in net.module.hidden
    ]
    net.module.train()
    net.module(HOW.normalize(pixels).double())
    for hook in hooks:
        hook.remove()
    assert np.allclose(found["std"][:3], [float(one.std(correction=0)) for one in seen], rtol=1e-6)
    assert not np.allclose(found["std"][2], frozen["layers"]["std"][2], rtol=1e-3)
    assert any("has met no data" in note for note in frozen.meta.notes)


def test_the_first_place_of_what_is_not_finite_is_named() -> None:
    net = chain("he")
    with torch.no_grad():
        net.module.hidden[7].linear.weight[3, 2] = math.nan
    found = pl.training.gradient_flow(net, data())
    assert "hidden.7.linear (its own weights are not finite)" in found.findings[0]
    assert found["layers"]["broken"][6] == 0 < found["layers"]["broken"][7]


def test_checkpoints_stand_side_by_side(tmp_path: Path) -> None:
    net = chain("he")
    save_file(chain("xavier", seed=1).module.state_dict(), tmp_path / "step_1.safetensors")
    save_file(chain("unit", seed=1).module.state_dict(), tmp_path / "step_2.safetensors")
    found = pl.training.gradient_flow(net, data(), checkpoints=tmp_path)
    assert found["verdicts"]["verdict"] == ("healthy", "signal vanishes", "explodes")
    assert found["signal"].columns == ("chain", "step_1", "step_2")
    assert found["signal"].values.shape == (51, 3)


@pytest.mark.slow
def test_healthy_networks_are_called_so(shared: Callable[[str], Path]) -> None:
    """A trained ResNet-20, with stored statistics and those of the batch."""
    held = np.load(shared("data/cifar10/cifar10_test_first4000.npz"))
    how, module = Preprocess(crop=(32, 32), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)), cifar_resnet(3)
    file = shared("data/weights/resnet20-12fca82f.th")
    weights = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
    module.load_state_dict({name.removeprefix("module."): value for name, value in weights.items()})
    net = Net(module, "resnet20", how)
    photos = Data.of((held["x"][:200], held["y"][:200].astype(int)))
    for norms in ("frozen", "batch"):
        found = pl.training.gradient_flow(net, photos, norms=norms)
        assert verdict(found) == "healthy", found.findings


@pytest.mark.slow
def test_the_bundled_network_is_healthy() -> None:
    net = pl.load("bundled")
    photos = pl.read([f"sample:{name}" for name in ("panda", "koala", "espresso", "crocodile")])
    classes = [ranked[0].index for ranked in net.predict(photos).ranked]
    found = pl.training.gradient_flow(net, (photos, classes), samples=4)
    assert verdict(found) == "healthy", found.findings
