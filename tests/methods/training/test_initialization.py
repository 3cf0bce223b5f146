"""Initialization schemes: growth against theory, known verdicts, and trainings that leave the network alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning import theory
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.normalized import normalized
from pellucid.methods.training.initialization import chance_of
from pellucid.net import Net
from pellucid.result import Study
from tests.methods.training.test_gradient_flow import HOW, data


def asked(net: Net, **options: object) -> Study:
    return pl.training.initialization(net, data(), **{"epochs": 0, "samples": 64, **options})


@pytest.mark.slow
def test_growth_is_that_of_theory() -> None:
    """Of rectifiers: χ = σ_w² / 2; xavier and orthogonal 1/2, he 1, N(0, 0.01²) width · 1e-4 / 2."""
    found = asked(
        Net(MLP(64, 10, depth=12, width=200), "mlp", HOW), schemes=("small", "xavier", "he", "orthogonal"), repeats=3
    )
    table = found["schemes"]
    for row, wanted in zip(table.rows, (0.01, 0.5, 1.0, 0.5), strict=True):
        assert row["theory"] == pytest.approx(wanted, rel=0.02)
        assert row["growth"] == pytest.approx(wanted, rel=0.08)
    assert table["verdict"][2] == "healthy"
    assert table["verdict"][0] == "signal vanishes"
    lines = {
        line.name: line.values for line in found["at the start"].lines if line.quantity == "standard deviation of h"
    }
    assert np.allclose(np.log(lines["he: theory"]), np.log(lines["he: theory"][0]), atol=0.05)
    assert lines["xavier: theory"][11] / lines["xavier: theory"][0] == pytest.approx(2**-5.5, rel=0.1)


def test_tanh_and_batch_norm_have_theories_of_their_own() -> None:
    found = asked(Net(MLP(64, 10, depth=8, width=128, activation="tanh"), "mlp", HOW), schemes=("lecun",), repeats=1)
    [row] = found["schemes"].rows
    start = found["at the start"]["lecun"].values[0] ** 2
    q, wanted = start, []
    for _ in range(7):
        wanted.append(theory.growth(q, "tanh", 1.0))
        q = theory.length(q, "tanh", 1.0)
    assert row["theory"] == pytest.approx(math.exp(np.log(wanted).mean()), rel=0.05)
    assert row["growth"] == pytest.approx(row["theory"], rel=0.1)
    normed = asked(Net(MLP(64, 10, depth=30, norm=True), "normed", HOW), schemes=("he",), repeats=2)
    [row] = normed["schemes"].rows
    assert row["theory"] == pytest.approx(1.2112**2, rel=1e-4)
    assert row["growth"] == pytest.approx(1.2112**2, rel=0.05)


@pytest.mark.slow
def test_schemes_are_trained_and_the_network_is_not() -> None:
    """He's learns, zeros cannot; the spread over seeds is there; the same question has the same answer."""
    torch.manual_seed(0)
    net = Net(MLP(64, 10, depth=4, norm=False), "mlp", HOW)
    before = [p.detach().clone() for p in net.module.parameters()]
    options = {"schemes": ("zeros", "he", "unit"), "epochs": 12, "repeats": 2, "lr": 0.05}
    one, two = asked(net, **options), asked(net, **options)
    assert all(torch.equal(a, b) for a, b in zip(before, net.module.parameters(), strict=True))
    table = one["schemes"]
    zeros, he, unit = table.rows
    assert zeros["last loss"] == pytest.approx(math.log(10), abs=0.05)
    assert he["last loss"] < 1.5
    assert he["± last loss"] > 0
    assert unit["diverged"] == 2 or unit["first loss"] > 100
    assert table.columns == two["schemes"].columns
    assert one["first epochs"]["he"].values.shape == (13,)
    assert one.findings[0].startswith("he trains fastest")


def test_schemes_are_not_ranked_before_one_has_learned_anything() -> None:
    net = Net(MLP(64, 10, depth=12), "mlp", HOW)
    found = asked(net, schemes=("small", "xavier"), epochs=1, repeats=1, lr=0.01)
    least = min(found["schemes"]["last loss"])
    assert least > 0.95 * math.log(10)
    first, *_ = found.findings
    assert first.startswith(f"no scheme has learned anything yet, the lowest loss after 1 epoch is {least:.3g} (")
    assert first.endswith("), where chance is 2.3: more epochs would tell them apart")
    assert "fastest" not in " ".join(found.findings)


def test_chance_is_the_entropy_of_the_labels() -> None:
    labels = torch.tensor([0, 0, 0, 2])
    one = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert chance_of(labels, False) == pytest.approx(one)
    assert chance_of(labels, True) == pytest.approx(2 * one), "of labels that stand by themselves a yes and no of each"
    assert chance_of(torch.zeros(4, dtype=torch.int64), False) == 0


class Convolutions(nn.Module):
    """Two convolutions, and a linear layer on tokens."""

    def __init__(self, norm: bool) -> None:
        super().__init__()
        self.a, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6) if norm else nn.Identity()
        self.b, self.tokens, self.head = nn.Conv2d(6, 5, 3), nn.Linear(5, 7), nn.Linear(7, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.b(torch.relu(self.norm(self.a(x)))))
        return self.head(torch.relu(self.tokens(h.flatten(2).transpose(1, 2))).mean(1))


def test_batch_norm_is_put_in_and_taken_out_of_copies() -> None:
    """What each hidden layer gives has mean 0 and variance 1 for each channel; without norms there are none."""
    x = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    plain, normed = seeded(lambda: Convolutions(False), 0), seeded(lambda: Convolutions(True), 0)
    found = normalized(plain, "with", ["a", "b", "tokens"]).train()
    given: dict[str, torch.Tensor] = {}
    for name in ("a", "b", "tokens"):
        found.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: given.update({name: out}))
    found(x)
    for name, axis in (("a", 1), ("b", 1), ("tokens", 2)):
        rows = given[name].detach().double().movedim(axis, 0).flatten(1)
        assert torch.allclose(rows.mean(1), torch.zeros(len(rows), dtype=torch.float64), atol=1e-5)
        assert torch.allclose(rows.var(1, correction=0), torch.ones(len(rows), dtype=torch.float64), atol=0.01)
    assert not any(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in plain.modules())
    assert not any(
        isinstance(one, nn.modules.batchnorm._BatchNorm) for one in normalized(normed, "without", []).modules()
    )
    same = normalized(normed, "with", ["a", "b"])
    assert [*same.state_dict()] == [*normed.state_dict()]


@pytest.mark.slow
def test_batch_norm_makes_schemes_alike_and_gradients_explode() -> None:
    """Without: χ by the scheme. With: 1.2112² whatever the scheme, and small weights learn."""
    net = Net(MLP(64, 10, depth=12), "mlp", HOW)
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    schemes = ("small", "he", "small-norm", "he-norm", "small+norm", "he+norm")
    found = asked(net, schemes=schemes, epochs=12, repeats=1, lr=0.03)
    rows = {row["scheme"]: row for row in found["schemes"].rows}
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
    for scheme in ("small", "he"):
        own, without, normed = ({**rows[scheme + sign]} for sign in ("", "-norm", "+norm"))
        assert [one.pop("batch norm") for one in (own, without, normed)] == ["own", "without", "with"]
        assert own | {"scheme": ""} == without | {"scheme": ""}
        assert normed["theory"] == pytest.approx(1.2112**2, rel=1e-4)
        assert normed["growth"] == pytest.approx(1.2112**2, rel=0.1)
    assert rows["small+norm"]["last loss"] < 1.7 < 2.2 < rows["small"]["last loss"]
    assert found.names[:4] == (
        "at the start, as it is", "at the start, without batch norm", "at the start, with batch norm", "first epochs",
    )  # fmt: skip
    start = found["at the start, with batch norm"]
    assert np.allclose(start["he+norm: theory"].values[1:12], start["he+norm"].values[1:12], rtol=0.1)
    assert found["signal"].columns == schemes
    assert found.findings[0].startswith("as it is, the squared gradient changes by × 0.00")
    with pytest.raises(PellucidError, match=r"no initialization scheme 'hee\+norm'; nearest of 9: he"):
        asked(net, schemes=("hee+norm",))
