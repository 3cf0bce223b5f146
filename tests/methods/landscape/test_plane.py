"""Planes of the loss: the values are those of the moved network, two networks share one scale, finer where it bends."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.directions import Direction, drawn
from pellucid.loss.weights import plain, weights_of
from pellucid.net import Net
from pellucid.target import Target
from tests.loss.networks import Everything, data, net_of, parabola, regression, rows
from tests.loss.test_points import by_hand


@pytest.mark.slow
def test_a_surface_is_the_loss_of_the_moved_network() -> None:
    net = net_of(Everything())
    found = pl.landscape.plane(net, data(), points="5:reach=0.8", seed=2)
    settled = plain(net)
    directions = drawn(settled, weights_of(settled), Direction(), 2, 2)
    for row, column in ((0, 0), (2, 2), (1, 4), (4, 0)):
        at = (float(found.axes[0].points[column]), float(found.axes[1].points[row]))
        loss, accuracy = by_hand(settled, directions, at)
        assert found.losses[0, row, column] == pytest.approx(loss, rel=1e-10)
        assert found.accuracies[0, row, column] == pytest.approx(accuracy)
    length = sum(float(one.double().square().sum()) for one in directions[0].values()) ** 0.5
    assert found.axes[0].length == pytest.approx(length)
    assert all(check.passed for check in found.checks[0])
    assert found.known.all()


@pytest.mark.slow
def test_a_target_is_a_measure_too() -> None:
    """A class's probability and a layer that a batch norm follows: its activations, not those of folded weights."""
    net = net_of(Everything())
    every = data().on(net)
    pixels = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))])
    for target in ("p(1)", "stem:2"):
        found = pl.landscape.plane(net, data(), points="3:reach=0.5", measure=target)
        assert found.measures == ("loss", "accuracy", target)
        at = pl.landscape.plane(net, data(), points="3:reach=0.5")
        assert np.allclose(found.values[:, :2], at.values[:, :2], rtol=1e-9)
        asked = Target.of(target)
        values = asked(net.run(pixels, layers=asked.layers)).double()
        center = found.of(target)[0, 1, 1]
        assert center == pytest.approx(float(values.mean()), rel=1e-9)
        assert found.errors[0, 2, 1, 1] == pytest.approx(float(values.std()) / len(values) ** 0.5, rel=1e-6)
        assert len(np.unique(found.of(target).round(9))) > 5


@pytest.mark.slow
def test_how_typical_a_plane_is() -> None:
    """The ends of its axes are places of the plane; those of other directions are ends of other lines."""
    net = net_of(Everything())
    found = pl.landscape.plane(net, data(), points="3:reach=0.8", seed=2)
    ends = found.losses[0][[1, 1, 0, 2], [0, 2, 1, 1]]
    assert np.allclose(found.meta.found["ends"], ends)
    others = found.meta.found["ends_of_others"]
    lines = pl.landscape.line(net, data(), points="3:reach=0.8", seed=2, count=6)
    losses = [one.values for one in lines.lines if one.name.endswith("loss")][2:]
    assert np.allclose(others, [value for line in losses for value in (line[0], line[-1])])
    assert "along 4 other random directions" in " ".join(found.findings)
    assert 0 < lines.meta.found["half_of_images"][0] < 1


@pytest.mark.slow
def test_the_same_seed_gives_two_networks_the_same_directions_on_their_own_scales() -> None:
    net = net_of(Everything())
    found = pl.landscape.plane([net, net], data(), points=3)
    assert np.array_equal(found.losses[0], found.losses[1])
    other = pl.landscape.plane(net, data(), points=3, seed=1)
    assert not np.allclose(found.losses[0], other.losses[0])


@pytest.mark.slow
def test_refined_places_are_measured_and_the_rest_is_filled_in() -> None:
    net = net_of(Everything())
    whole = pl.landscape.plane(net, data(), points=9)
    found = pl.landscape.plane(net, data(), points="5:refine=1")
    assert found.losses.shape == (1, 9, 9)
    assert 25 < found.known.sum() < 81
    known = found.known[0]
    assert np.array_equal(found.losses[0][known], whole.losses[0][known])
    assert np.isfinite(found.losses).all()


@pytest.mark.slow
def test_the_network_is_as_it_was() -> None:
    net = net_of(Everything())
    net.module.train()
    before = {key: value.clone() for key, value in net.module.state_dict().items()}
    pl.landscape.plane(net, data(), points=3, norms="reestimated")
    assert net.module.training
    assert all(torch.equal(value, before[key]) for key, value in net.module.state_dict().items())


@pytest.mark.slow
def test_a_plane_goes_through_three_networks_and_others_are_placed_beside() -> None:
    net = net_of(Everything())
    settled = plain(net)
    values = weights_of(settled)
    away = [{key: 0.1 * torch.randn_like(one) for key, one in values.items()} for _ in range(3)]
    moves = [away[0], {key: one + 0.5 * away[0][key] for key, one in away[1].items()}, away[2]]
    nets = [settled, *(settled.with_weights({key: values[key] + one[key] for key in values}) for one in moves)]
    found = pl.landscape.plane(nets, data(), points="3:reach=0.5", direction="networks")
    first, second, third, other = found.placed
    assert (first.x, first.y, second.x, second.y) == pytest.approx((0, 0, 1, 0), abs=1e-12)
    assert third.share == pytest.approx(0, abs=1e-6)
    assert 0.9 < other.share < 1
    for one, network in zip(found.placed, nets, strict=True):
        assert one.loss == pytest.approx(by_hand(network, [], ())[0], rel=1e-9)
    assert third.beneath == pytest.approx(third.loss)
    assert found.axes[0].length == pytest.approx(found.axes[1].length)
    assert found.meta.found["cosine"][0] == pytest.approx(0, abs=1e-12)
    assert all(check.passed for check in found.checks[0])
    with pytest.raises(PellucidError, match="a plane goes through three networks, these are 2"):
        pl.landscape.plane(nets[:2], data(), direction="networks")
    with pytest.raises(PellucidError, match="write 'networks'"):
        pl.landscape.plane(nets, data(), direction="networks:normalize=none")
    with pytest.raises(PellucidError, match="`plane` has axes through three networks"):
        pl.landscape.line(net, data(), direction="networks")


def surfaces(net: Net, normalize: str) -> list[np.ndarray]:
    """The loss along a line and over a plane, of the same seed for whatever network."""
    how = {"seed": 3, "direction": f"random:normalize={normalize}"}
    reach = 1 if normalize == "filter" else 0.1
    along = pl.landscape.line(net, data(), points=f"5:reach={reach}", count=1, **how)
    return [along["net, loss"].values, pl.landscape.plane(net, data(), points=f"3:reach={reach}", **how).losses[0]]


@pytest.mark.slow
@pytest.mark.parametrize("first", [nn.Linear, nn.Conv2d])
def test_a_rectified_network_scaled_up_and_down_again_has_the_same_surface(first: type[nn.Module]) -> None:
    """w₁ · a, b₁ · a, w₂ / a leave the function as it is, and so the surface on the scale of the filters."""
    dense = [nn.Flatten(), nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 3)]
    net = net_of(nn.Sequential(*dense if first is nn.Linear else
                               [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3)]))  # fmt: skip
    module = copy.deepcopy(net.module)
    before, behind = [part for part in module if isinstance(part, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        before.weight *= 7
        before.bias *= 7
        behind.weight /= 7
    twin = net.with_module(module)
    x = torch.rand(5, 3, 8, 8, dtype=torch.float64)
    assert torch.allclose(net.run(x).output, twin.run(x).output, rtol=0, atol=1e-12)
    for one, other in zip(surfaces(net, "filter"), surfaces(twin, "filter"), strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-6)
        assert np.ptp(one) > 0.01
    for one, other in zip(surfaces(net, "none"), surfaces(twin, "none"), strict=True):
        assert np.abs(one - other).max() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("eps", [1e-12, 1e-5])
def test_filters_scaled_before_a_norm_that_follows_have_the_same_surface_but_for_its_epsilon(eps: float) -> None:
    """Each filter and its bias by a factor c of its own, the running mean · c, the running variance · c²."""
    layers = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, eps=eps), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3)
    net = net_of(nn.Sequential(*layers))
    module = copy.deepcopy(net.module)
    c = torch.logspace(-1, 1, 6, base=5, dtype=torch.float64)
    with torch.no_grad():
        module[0].weight *= c[:, None, None, None]
        module[0].bias *= c
        module[1].running_mean *= c
        module[1].running_var *= c.square()
    twin = net.with_module(module)
    for one, other in zip(surfaces(net, "filter"), surfaces(twin, "filter"), strict=True):
        assert np.allclose(one, other, rtol=0, atol=max(10 * eps, 1e-9))
        assert np.ptp(one) > 0.01
    for one, other in zip(surfaces(net, "none"), surfaces(twin, "none"), strict=True):
        assert np.abs(one - other).max() > 0.05


def test_a_quadratic_of_two_weights_has_its_hessian_in_the_second_differences() -> None:
    """L(θ + α d₁ + β d₂) = L₀ + g·δ + δᵀHδ/2 over the whole grid, with δ = α d₁ + β d₂."""
    net = regression(2)
    loss, gradient, hessian = parabola(net)
    found = pl.landscape.plane(net, data(), points="7:reach=3", seed=1)
    axes = np.stack([one["linear.weight"][0].numpy() for one in drawn(net, weights_of(net), Direction(), 1, 2)])
    alpha, beta = np.meshgrid(found.axes[0].points, found.axes[1].points)
    moves = np.stack([alpha, beta], -1) @ axes
    wanted = loss + moves @ gradient + 0.5 * ((moves @ hessian) * moves).sum(-1)
    surface = found.losses[0]
    assert np.allclose(surface, wanted, rtol=1e-12, atol=0)
    inner = axes @ hessian @ axes.T
    for difference, entry in (
        (np.diff(surface, 2, axis=1), inner[0, 0]),
        (np.diff(surface, 2, axis=0), inner[1, 1]),
        (np.diff(np.diff(surface, axis=0), axis=1), inner[0, 1]),
    ):
        assert np.allclose(difference, entry, rtol=1e-9, atol=1e-12)


def test_contours_around_a_minimum_are_ellipses_with_the_axes_of_the_hessian() -> None:
    """Along eigenvectors L − L₀ = (λ₁ α² + λ₂ β²) / 2: half axes √(2 (L − L₀) / λ), and no mixed difference."""
    net = regression(2)
    net.module.linear.weight.data = torch.from_numpy(np.linalg.lstsq(*rows(net), rcond=None)[0])[None]
    loss, gradient, hessian = parabola(net)
    assert np.abs(gradient).max() < 1e-12
    small, large = np.linalg.eigvalsh(hessian)
    assert large > 2 * small
    found = pl.landscape.plane(net, data(), points=5, direction="eigenvector:normalize=none")
    assert found.meta.found["cosine"][0] == pytest.approx(0, abs=1e-12)
    alpha, beta = np.meshgrid(found.axes[0].points, found.axes[1].points)
    assert np.allclose(found.losses[0], loss + (large * alpha**2 + small * beta**2) / 2, rtol=1e-12, atol=0)
    assert np.abs(np.diff(np.diff(found.losses[0], axis=0), axis=1)).max() < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("biases", ["still", "layer"])
def test_a_norm_as_it_is_made_is_no_obstacle(biases: Literal["still", "layer"]) -> None:
    """Its bias has no length, by which a peer divides; its entries stay still unless they are asked to move."""
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    net = net_of(nn.Sequential(*layers))
    net.module[1].reset_parameters()
    before = copy.deepcopy(net.module.state_dict())
    axes = drawn(net, weights_of(net), Direction(biases=biases), 0, 2)
    if biases == "still":
        assert all(set(axis) == {"0.weight", "4.weight"} for axis in axes)
    else:
        assert all(not axis["1.bias"].any() for axis in axes)
        assert all(float(axis["1.weight"].norm()) == pytest.approx(2) for axis in axes)
    direction = f"random:biases={biases}"
    over = pl.landscape.plane(net, data(), points=3, direction=direction)
    along = pl.landscape.line(net, data(), points=3, count=1, direction=direction)["net, loss"]
    assert np.isfinite(over.values).all()
    for k, alpha in enumerate((-1.0, 0.0, 1.0)):
        assert along.values[k] == pytest.approx(by_hand(net, axes[:1], (alpha,))[0], rel=1e-10)
        assert over.losses[0, 2, k] == pytest.approx(by_hand(net, axes, (alpha, 1.0))[0], rel=1e-10)
    assert all(torch.equal(value, before[key]) for key, value in net.module.state_dict().items())
