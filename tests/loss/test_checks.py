"""A surface is checked against itself whatever its norms use, and a wrong one is found out under every policy."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

import pellucid as pl
from pellucid.loss.points import Places
from pellucid.net.norms import Norms
from tests.loss.networks import Everything, data, net_of

AROUND_ONE = [one for one in get_args(Norms) if one != "interpolated"]


@pytest.mark.slow
@pytest.mark.parametrize("norms", AROUND_ONE)
def test_value_slope_and_curvature_are_compared_under_every_policy(norms: Norms) -> None:
    net = net_of(Everything(smooth=True))
    every = [pl.landscape.line(net, data(40), points=3, count=1, seed=seed, norms=norms).checks for seed in range(4)]
    for checks in every:
        assert [one.name.split()[0] for one in checks] == ["value", "slope", "curvature"]
        assert all(one.passed for one in checks), [str(one) for one in checks]


@pytest.mark.slow
def test_statistics_change_the_slope() -> None:
    """The comparison is no formality: the gradient at stored statistics is another one."""
    net = net_of(Everything(smooth=True))
    slopes = {norms: pl.landscape.line(net, data(), points=3, count=1, norms=norms).checks[1] for norms in AROUND_ONE}
    frozen = slopes["frozen"].expected
    assert all(abs(slopes[one].expected - frozen) > 0.05 * abs(frozen) for one in AROUND_ONE if one != "frozen")


@pytest.mark.parametrize("norms", AROUND_ONE)
def test_a_surface_of_other_statistics_is_found_out(norms: Norms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Norms of the batch where those that are stored are said to be used, and the other way round."""
    wrong = "batch" if norms == "frozen" else "frozen"

    class Naive(Places):
        def __init__(self, moved: object, sets: object, norms: Norms, *more: object) -> None:
            super().__init__(moved, sets, wrong, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("pellucid.loss.checks.Places", Naive)
    found = pl.landscape.line(net_of(Everything(smooth=True)), data(), points=3, count=1, norms=norms)
    failed = [one.name.split()[0] for one in found.checks if not one.passed]
    assert "slope" in failed
    assert any(note.topic == "check" for note in found.meta.notes)


@pytest.mark.parametrize("norms", ["interpolated", "reestimated", "frozen"])
def test_the_way_between_two_networks_is_checked_at_the_first(norms: str) -> None:
    """Mixed statistics are part of the direction, and the gradient by way of them is part of the slope."""
    first, second = net_of(Everything(smooth=True)), net_of(Everything(smooth=True))
    with torch.no_grad():
        for one in [*second.module.parameters(), *second.module.buffers()]:
            if one.is_floating_point():
                one *= 1.1
    found = pl.landscape.between([first, second], data(), points=3, matching=False, norms=norms)
    assert [one.name.split()[0] for one in found.checks][:3] == ["value", "slope", "curvature"]
    assert all(one.passed for one in found.checks), [str(one) for one in found.checks]


@pytest.mark.slow
def test_trajectories_and_curves_are_checked_with_norms_of_their_own() -> None:
    nets = [net_of(Everything(smooth=True)) for _ in range(3)]
    with torch.no_grad():
        nets[0].module.head.bias += 2
        nets[1].module.stem.weight *= 1.5
    path = pl.landscape.trajectory(nets, data(), points=3)
    assert path.meta.found["norms"] == "reestimated"
    assert [one.name.split()[0] for one in path.checks[0]] == ["value", *["slope", "curvature"] * 2]
    curve = pl.landscape.connect(nets[:2], data(), points=3, epochs=1)
    assert [one.name.split()[0] for one in curve.checks] == ["value"] * 3 + ["slope", "curvature"] * 2
    assert all(one.passed for one in (*path.checks[0], *curve.checks))
