"""Convexity: ends of the dense Hessian at every place; 0 where the loss is convex, 1 at a planted saddle."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.directions import Direction, drawn
from pellucid.loss.labeled import labeled
from pellucid.loss.products import Curved
from pellucid.loss.weights import weights_of
from pellucid.net import Net
from tests.loss.networks import data, net_of
from tests.loss.test_products import dense


@pytest.fixture(scope="module")
def bent() -> Net:
    return net_of(nn.Sequential(nn.Conv2d(3, 3, 3, stride=3), nn.BatchNorm2d(3), nn.Softplus(), nn.Flatten(),
                                nn.Linear(12, 3)))  # fmt: skip


def ends(net: Net, at: tuple[float, float], seed: int) -> np.ndarray:
    """All eigenvalues of the dense Hessian over weights of several axes, of a plain module with the moved weights."""
    module, directions = copy.deepcopy(net.module), drawn(net, weights_of(net), Direction(), seed, 2)
    with torch.no_grad():
        for key, one in module.named_parameters():
            for c, direction in zip(at, directions, strict=True):
                one += c * direction.get(key, torch.zeros(()))
    there = net.with_module(module)
    whole = dense(Curved.of(there, labeled(there, data().on(net)), ["0.weight", "4.weight"]))
    return np.asarray(torch.linalg.eigvalsh(whole).numpy())


@pytest.mark.slow
def test_every_place_has_the_ends_of_the_dense_hessian_over_weights_of_several_axes(bent: Net) -> None:
    found = pl.landscape.convexity(bent, data(), points="3:reach=0.6", products=60, tolerance=1e-6, seed=4)
    for row, column in ((0, 0), (0, 2), (1, 1), (2, 1)):
        truth = ends(bent, (float(found.axes[0].points[column]), float(found.axes[1].points[row])), 4)
        assert found.of("λmax")[0, row, column] == pytest.approx(truth[-1], abs=1e-8)
        assert found.of("λmin")[0, row, column] == pytest.approx(truth[0], abs=1e-8)
        assert found.of("|λmin/λmax|")[0, row, column] == pytest.approx(abs(truth[0] / truth[-1]), abs=1e-8)
    assert all(check.passed for check in found.checks[0])
    assert "at 9 of 9 places the loss surely bends downwards" in found.findings[0]


def test_a_convex_loss_has_a_ratio_of_nothing() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))  # softmax regression: convex in all its weights
    found = pl.landscape.convexity(net, data(9), points=3, products=20)
    assert found.of("|λmin/λmax|").max() < 1e-12
    assert "at 0 of 9 places the loss surely" in found.findings[0]


def test_a_planted_saddle_bends_as_much_down_as_up() -> None:
    """At W₁ = W₂ = 0 the Hessian of W₂ W₁ x has blocks beside the diagonal only: its eigenvalues come as ± σ."""
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 2, bias=False), nn.Linear(2, 3, bias=False)))
    for part in net.module.parameters():
        part.detach().zero_()
    found = pl.landscape.convexity(
        net, data(), points="3:reach=1e-9", direction="random:normalize=none", products=60, tolerance=1e-10
    )
    assert found.of("|λmin/λmax|")[0, 1, 1] == pytest.approx(1, abs=1e-8)


def test_what_has_not_converged_is_counted_and_an_eigenvalue_is_within_its_residual(bent: Net) -> None:
    few = pl.landscape.convexity(bent, data(), points=3, products=4, tolerance=1e-6)
    assert few.findings[0].endswith("λmin at 9 of 9 places")
    assert any(note.topic == "sampling" for note in few.meta.notes)
    truth = ends(bent, (0.0, 0.0), 0)
    for name, end in (("λmax", truth[-1]), ("λmin", truth[0])):
        value, residual = (one[0, few.measures.index(name), 1, 1] for one in (few.values, few.errors))
        assert residual > 0
        assert np.abs(truth - value).min() <= residual
        assert abs(value) < abs(end), "a Ritz value lies inside the spectrum"


def test_a_loss_that_overflows_is_no_number() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(),
                               nn.Linear(8, 3)), double=False)  # fmt: skip
    found = pl.landscape.convexity(net, data(), points="3:reach=1e20", products=3)
    assert np.isnan(found.of("λmax")[0, 0, 0])
    assert np.isfinite(found.values[0, :, 1, 1]).all()
    assert pl.draw(found).sheet.marks


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, calls = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Tanh(), nn.Linear(4, 3))), 0
    whole = Curved.product

    def counted(self: Curved, direction: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        nonlocal calls
        calls += 1
        if calls == 20:
            raise KeyboardInterrupt
        return whole(self, direction)

    right = pl.landscape.convexity(net, data(), points=3, products=4)
    monkeypatch.setattr(Curved, "product", counted)
    with pl.resumable(tmp_path):
        with pytest.raises(KeyboardInterrupt):
            pl.landscape.convexity(net, data(), points=3, products=4)
        found = pl.landscape.convexity(net, data(), points=3, products=4)
    assert np.array_equal(found.values, right.values)
    assert np.array_equal(found.errors, right.errors)
    assert calls < 20 + 9 * 4
    with pytest.raises(PellucidError, match="is for `plane`"):
        pl.landscape.convexity(net, data(), direction="networks")
