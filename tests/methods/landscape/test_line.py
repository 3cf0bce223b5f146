"""Lines of the loss: convex where the loss is, checked against themselves, in every policy of the norms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.directions import Direction, drawn, normalized
from pellucid.loss.points import Places
from pellucid.loss.weights import plain, weights_of
from pellucid.result import Check
from tests.loss.networks import Everything, data, net_of, parabola, regression


def test_a_softmax_regression_is_convex_along_every_line_and_its_values_are_the_formula() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    found = pl.landscape.line(net, data(), points="9:reach=2.0", count=3, seed=4)
    directions = drawn(net, weights_of(net), Direction(), 4, 3)
    every = data().on(net)
    x = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))]).double()
    for k, direction in enumerate(directions, start=1):
        line = found[f"net, direction {k}, loss"]
        assert (np.diff(line.values, 2) > 0).all()
        for alpha, value in zip(line.points, line.values, strict=True):
            w = {name: one + alpha * direction.get(name, 0) for name, one in weights_of(net).items()}
            scores = net.preprocess.normalize(x).flatten(1) @ w["1.weight"].T + w["1.bias"]
            losses = -scores.log_softmax(1).gather(1, torch.from_numpy(every.labels)[:, None])[:, 0]
            assert value == pytest.approx(float(losses.mean()), rel=1e-12)
        error = float(losses.std(unbiased=True)) / len(losses) ** 0.5
        assert line.errors[-1] == pytest.approx(error, rel=1e-9)
    assert all(check.passed for check in found.checks)


@pytest.mark.parametrize("way", ["random:biases=layer", "random:normalize=none,biases=layer", "gradient:biases=layer"])
def test_a_linear_regression_is_exactly_a_parabola_along_every_line(way: str) -> None:
    """L₀ + α g·d + α² d·H d / 2, with H = XᵀX / N."""
    net = regression(20, bias=True)
    loss, gradient, hessian = parabola(net)
    found = pl.landscape.line(net, data(), points="11:reach=5", direction=way, seed=2, count=3)
    if way.startswith("random"):
        along = drawn(net, weights_of(net), Direction.of(way), 2, 3)
    else:
        parts = {"linear.weight": gradient[None, :20], "linear.bias": gradient[20:]}
        raw = {key: torch.from_numpy(one) for key, one in parts.items()}
        along = [normalized(raw, weights_of(net), net, Direction.of(way))]
    lines = [line for line in found.lines if line.name.endswith("loss")]
    for line, direction in zip(lines, along, strict=True):
        d = torch.cat([direction["linear.weight"].flatten(), direction["linear.bias"]]).numpy()
        wanted = loss + line.points * (gradient @ d) + line.points**2 * (d @ hessian @ d) / 2
        assert np.allclose(line.values, wanted, rtol=1e-12, atol=0)
    assert all(check.passed for check in found.checks)


@pytest.mark.slow
def test_the_checks_pass_on_a_rectified_network_and_fail_on_a_surface_that_is_wrong() -> None:
    net = net_of(Everything())
    found = pl.landscape.line(net, data(), points=3, count=2)
    assert len([c for c in found.checks if c.name == "value"]) == 2
    assert len([c for c in found.checks if c.name.startswith("slope")]) == 2
    assert any(c.name.startswith("curvature") for c in found.checks)
    assert all(check.passed for check in found.checks), [str(c) for c in found.checks]
    assert not any(note.topic == "check" for note in found.meta.notes)
    assert not Check("slope", 1.0, 1.1, 0.01).passed
    assert not Check("slope", 1.0, float("nan"), 0.01).passed


@pytest.mark.slow
def test_a_check_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A naive surface, whose direction was put on the scale of the filters twice, is steeper than the gradient says."""

    class Naive(Places):
        def each(self, coordinates: tuple[float, ...]) -> torch.Tensor:
            return super().each(tuple(1.01 * one for one in coordinates))

    net = net_of(Everything())
    assert all(one.passed for one in pl.landscape.line(net, data(), points=3, count=1).checks)
    monkeypatch.setattr("pellucid.loss.checks.Places", Naive)
    found = pl.landscape.line(net, data(), points=3, count=1)
    assert [one.name.split()[0] for one in found.checks if not one.passed] == ["slope"]
    assert any(note.topic == "check" for note in found.meta.notes)


@pytest.mark.slow
def test_images_with_a_kink_within_the_step_do_not_raise_an_alarm() -> None:
    """A rectifier that is at zero for two of the images: the surface has no slope there, and is right."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 6), nn.ReLU(), nn.Linear(6, 3))
    net = net_of(module)
    some = data(12)
    pixels = torch.cat([net.prepare(some.image(i)).pixels for i in range(12)]).double()
    with torch.no_grad():
        before = module[1](pixels.flatten(1))
        module[1].bias[0] -= before[0, 0] + 3e-9
        module[1].bias[1] -= before[1, 1] - 2e-9
    every = [pl.landscape.line(net, some, points=3, count=1, seed=seed).checks for seed in range(4)]
    slopes = [one for checks in every for one in checks if one.name.startswith("slope")]
    assert [one.passed for one in slopes] == [True] * 4
    assert sum("of 12 images without a kink in the step" in one.text for one in slopes) >= 2


@pytest.mark.slow
def test_where_the_loss_is_least_stands_in_meta() -> None:
    """How far the center is from the minimum of these images."""
    net = net_of(Everything())
    found = pl.landscape.line(net, data(), points=9, count=2)
    alphas = np.linspace(-1, 1, 9)
    assert found.meta.found["least_at"] == tuple(
        alphas[found[f"net, direction {k}, loss"].values.argmin()] for k in (1, 2)
    )
    plane = pl.landscape.plane(net, data(), points=5)
    row, column = np.unravel_index(plane.values[0, 0].argmin(), (5, 5))
    assert plane.meta.found["least_at"] == (plane.axes[0].points[column], plane.axes[1].points[row])


@pytest.mark.slow
def test_the_gradient_and_the_largest_eigenvector_are_directions() -> None:
    net = net_of(Everything(smooth=True))
    steep = pl.landscape.line(net, data(), points="3:reach=1e-4", direction="gradient:normalize=none,biases=layer")
    assert steep["net, loss"].values[0] < steep["net, loss"].values[1] < steep["net, loss"].values[2]
    sharp = pl.landscape.line(
        net, data(), points="3:reach=1e-2", count=1, direction="eigenvector:normalize=none,biases=layer"
    )
    plainly = pl.landscape.curvature(net, data(), probes=0, products=60, tolerance=1e-6)
    second = np.diff(sharp["net, loss"].values, 2)[0] / 1e-2**2
    assert second == pytest.approx(plainly.values[0], rel=1e-2)


@pytest.mark.slow
def test_more_images_and_several_networks_stand_side_by_side() -> None:
    nets = [net_of(Everything()), net_of(Everything(smooth=True))]
    found = pl.landscape.line(nets, data(), points=3, count=1, test=data(9, seed=3))
    assert [line.name for line in found.lines][:4] == [
        "1 · net, train loss", "1 · net, train accuracy", "1 · net, test loss", "1 · net, test accuracy",
    ]  # fmt: skip
    assert {line.group for line in found.lines} == {"1 · net", "2 · net"}
    assert plain(nets[0]) is not nets[0]


def test_what_cannot_be_asked_is_one_line() -> None:
    net = net_of(Everything())
    for options, said in (
        ({"norms": "interpolated"}, "two networks"),
        ({"direction": "sideways"}, "sideways"),
        ({"points": 2}, "3 to 1001"),
        ({"points": "9:raech=1"}, "reach"),
        ({"points": "nine"}, "number of places"),
        ({"points": "9:refine=1"}, "for a plane"),
        ({"direction": "random:normalize=fliter"}, "filter"),
    ):
        with pytest.raises(PellucidError, match=said) as error:
            pl.landscape.line(net, data(), **options)
        assert "\n" not in str(error.value)
