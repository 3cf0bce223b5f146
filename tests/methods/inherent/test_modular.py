"""Modular networks: every score is the sum that is read off."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.interpretable.modular import alike
from pellucid.methods.inherent.modular import tinted
from pellucid.result import Study
from tests.test_every_method import labeled, tiny


@functools.cache
def found() -> Study:
    return pl.inherent.modular(tiny(), labeled(24), layers=("block", "relu"), parts=3, recipe="epochs=2")


def test_sums_and_shares() -> None:
    table = found().tables["networks"]
    assert table["network"] == ("plain", "places of block", "places of relu", "groups of units of relu")
    assert all(missed < 1e-5 for missed in table["missed"][1:])
    assert table["parts"][1:] == (256, 49, 3)
    assert np.allclose(found().grids["shares"].values.sum(0), 1)
    fields = found().curves["field"].lines[0]
    assert list(fields.points) == sorted(table["field"][1:3])
    assert fields.points[0] == 7


def test_groups_hold_each_unit_once() -> None:
    rows = torch.randn(30, 10)
    rows[:, 5:] = rows[:, :5] + 0.01 * torch.randn(30, 5)
    groups = alike(rows, 5, 0)
    assert sorted(torch.cat(groups).tolist()) == list(range(10))
    together = {tuple(one.tolist()) for one in groups}
    assert sum(len(one) == 2 and one[1] == one[0] + 5 for one in together) >= 3


def test_tints_say_for_and_against() -> None:
    picture = tinted(np.full((4, 4, 3), 100, np.uint8), np.array([[1.0, 0.0], [0.0, -1.0]]))
    assert picture[0, 0, 0] > picture[0, 0, 2]
    assert picture[3, 3, 2] > picture[3, 3, 0]
    assert picture[0, 3].tolist() == [100] * 3


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(pl.PellucidError, match="block"):
        pl.inherent.modular(tiny(), labeled(), layers=("blok",))
