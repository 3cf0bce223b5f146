"""Pictures of landscapes: whose statistics batch norms used stands on each, and colors tell lines apart."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from torch import nn

import pellucid as pl
from pellucid.draw.sheet import Shape
from pellucid.net import Net
from pellucid.result import Curve
from tests.draw.plots import said
from tests.loss.networks import data, net_of


def small(name: str = "net") -> Net:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    return dataclasses.replace(net_of(module), name=name)


def drawn(result: Curve) -> tuple[list[str], list[Shape]]:
    """The words of a picture, and its lines."""
    picture = pl.draw(result)
    thick = [mark for mark in picture.sheet.marks if isinstance(mark, Shape) and mark.line == 1.7]
    return said(picture), thick


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options", "policy"),
    [
        ("line", {"points": 3, "count": 1}, "batch norm: frozen · net"),
        ("line", {"points": 3, "count": 1, "norms": "batch"}, "batch norm: batch · net"),
        ("plane", {"points": 3}, "loss, nats · batch norm: frozen"),
        ("between", {"points": 3}, "batch norm: interpolated"),
        ("connect", {"points": 3, "epochs": 1}, "batch norm: reestimated"),
        ("convexity", {"points": 3}, "batch norm: frozen"),
        ("curvature", {}, "batch norm: frozen"),
        ("sharpness", {"directions": 2, "steps": 1, "products": 3}, "batch norm: frozen"),
    ],
)
def test_the_policy_of_batch_norms_stands_on_every_picture(method: str, options: dict[str, Any], policy: str) -> None:
    pair = [small("first"), small("second")]
    asked = pair if method in ("between", "connect") else small()
    found = getattr(pl.landscape, method)(asked, data(), **options)
    assert any(policy in text for text in said(pl.draw(found)))


def test_a_network_without_batch_norms_has_none_on_its_picture() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    for found in (
        pl.landscape.line(net, data(), points=3, count=1),
        pl.landscape.sharpness(net, data(), directions=2, steps=1, products=3),
    ):
        assert any("batch norm: none" in text for text in said(pl.draw(found)))


def test_the_directions_of_one_network_have_a_color_each() -> None:
    found = pl.landscape.line(small(), data(), points=3, test=data(9, seed=4))
    assert len({line.group for line in found.lines}) == 3
    words, lines = drawn(found)
    colors = {line.edge for line in lines}
    assert len(colors) == 3
    for k in (1, 2, 3):  # a name in each plot for each set of images; the network stands above
        assert words.count(f"direction {k}, train loss") == words.count(f"direction {k}, test accuracy") == 1
        own = [line for line in lines if line.edge == sorted(colors)[k - 1]]
        assert sum(bool(line.dashes) for line in own) == 2, "the test images in the same color, dashed"


@pytest.mark.slow
def test_of_several_networks_the_network_decides_the_color() -> None:
    found = pl.landscape.line([small("one"), small("other")], data(), points=3, count=2)
    assert {line.group for line in found.lines} == {"one", "other"}
    words, lines = drawn(found)
    assert len({line.edge for line in lines}) == 2
    assert {"one, direction 1", "other, direction 2"} <= {*words}


def test_gaps_of_what_was_measured_are_not_called_unmeasured() -> None:
    one, other = small("one"), small("other")
    other.module[1].running_var.mul_(9)
    found = pl.landscape.between([one, other], data(), points=9, matching=False)
    lost = int(np.isnan([line.values for line in found.lines]).sum())
    assert found.meta.found["undefined"] == lost > 0
    told = " ".join(said(pl.draw(found)))
    assert f"Gaps: {lost} points were measured, and no finite number came out." in told
    assert "not measured" not in told
