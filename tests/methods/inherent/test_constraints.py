"""Constraints: violations are 0 where they are forbidden, and found where they are not."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.interpretable.sparse import Head
from pellucid.result import Study
from tests.test_every_method import labeled, tiny


@functools.cache
def found() -> Study:
    return pl.inherent.constraints(
        tiny(), labeled(16), hidden=8, strengths=(0.01, 1.0), samples=300, recipe="epochs=30,lr=0.05"
    )


@pytest.mark.slow
def test_no_violation_where_none_may_be() -> None:
    by = {row["network"]: row for row in found().tables["heads"].rows}
    assert list(by) == [
        "plain",
        "non-negative",
        "rising",
        "L1, strength 0.01",
        "L1, strength 1",
        "1 winners",
        "2 winners",
    ]
    for name in ("non-negative", "rising"):
        assert (by[name]["violations"], by[name]["falls"], by[name]["negative"]) == (0, 0, 0)
    assert by["plain"]["violations"] > 0
    assert by["plain"]["falls"] > 0
    assert by["1 winners"]["violations"] is None, "no bounds of winners"
    assert by["1 winners"]["active"] <= 1
    assert by["L1, strength 1"]["active"] < by["plain"]["active"]


@pytest.mark.slow
def test_the_curve_is_the_table() -> None:
    line, table = found().curves["strength"].lines[0], found().tables["heads"]
    assert list(line.points) == [0, 0.01, 1]
    assert np.allclose(line.values, [table["accuracy"][k] for k in (0, 3, 4)])


def test_heads_by_name() -> None:
    head = Head.made("rising", 5, 3, 4)
    rows = torch.rand(20, 5)
    assert head.centered(rows).hidden[0](rows).mean(0).abs().max() < 1e-5
    with pytest.raises(PellucidError, match="plain"):
        Head.made("plane", 5, 3, 4)


def test_pixels_are_a_layer_and_their_weights_are_pictures() -> None:
    net = tiny()
    study = pl.inherent.constraints(
        net, labeled(), layer="pixels", hidden=4, strengths=(0.0,), samples=10, recipe="epochs=1"
    )
    assert study.meta.found["layer"] == "pixels"
