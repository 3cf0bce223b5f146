"""Planes of the loss: the values are those of the moved network, two networks share one scale, finer where it bends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.directions import Direction, drawn
from pellucid.loss.weights import plain, weights_of
from pellucid.target import Target
from tests.loss.networks import Everything, data, net_of
from tests.loss.test_points import by_hand


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


def test_the_same_seed_gives_two_networks_the_same_directions_on_their_own_scales() -> None:
    net = net_of(Everything())
    found = pl.landscape.plane([net, net], data(), points=3)
    assert np.array_equal(found.losses[0], found.losses[1])
    other = pl.landscape.plane(net, data(), points=3, seed=1)
    assert not np.allclose(found.losses[0], other.losses[0])


def test_refined_places_are_measured_and_the_rest_is_filled_in() -> None:
    net = net_of(Everything())
    whole = pl.landscape.plane(net, data(), points=9)
    found = pl.landscape.plane(net, data(), points="5:refine=1")
    assert found.losses.shape == (1, 9, 9)
    assert 25 < found.known.sum() < 81
    known = found.known[0]
    assert np.array_equal(found.losses[0][known], whole.losses[0][known])
    assert np.isfinite(found.losses).all()


def test_the_network_is_as_it_was() -> None:
    net = net_of(Everything())
    net.module.train()
    before = {key: value.clone() for key, value in net.module.state_dict().items()}
    pl.landscape.plane(net, data(), points=3, norms="reestimated")
    assert net.module.training
    assert all(torch.equal(value, before[key]) for key, value in net.module.state_dict().items())


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
