"""Handcrafted first layers: they stay as they were written, and rows are what was trained."""

from __future__ import annotations

import pytest
import torch

import pellucid as pl
from pellucid.data import NewTask
from pellucid.interpretable.cells import cells, fitted
from pellucid.interpretable.first_layers import FixedConv, bank
from pellucid.learning.features import PIXELS
from pellucid.learning.train import Recipe
from pellucid.methods.inherent.priors import _pictures, made
from tests.test_every_method import labeled, tiny


def test_fixed_filters_are_not_touched_by_training() -> None:
    some = cells(tiny(), NewTask.of(labeled()), PIXELS)
    module = made("gabor", some, 0)
    assert isinstance(module.first, FixedConv)
    fitted(module, some, Recipe(2, 4, "adam", 0.01))
    assert torch.equal(module.first.filters, bank("gabor", 3))
    assert not torch.equal(module.first.scale.detach(), torch.ones(16))


def test_a_row_for_each_first_layer_and_number_of_images() -> None:
    found = pl.inherent.priors(tiny(), labeled(16), banks=("opponent",), shares=(0.5, 1), recipe="epochs=1")
    table = found.tables["networks"]
    assert table["first layer"] == ("learned", "learned", "random", "random", "opponent", "opponent")
    assert table["images"] == (6, 12) * 3
    by = {(row["first layer"], row["images"]): row for row in table.rows}
    for (_, many), row in by.items():
        assert row["gain"] == pytest.approx(row["accuracy"] - by["learned", many]["accuracy"])
    assert found.pictures["filters"].names == ("learned", "random", "opponent")


def test_a_layer_of_fewer_than_four_filters_is_seen_as_well() -> None:
    found = pl.inherent.priors(tiny(), labeled(16), banks=("opponent",), shares=(1,), recipe="epochs=1")
    shown = found.pictures["filters"]
    assert len(shown.pixels) == len(shown.names)
    assert all(min(one.shape) > 0 for one in shown.pixels)
    few = _pictures({"three": torch.nn.Conv2d(1, 3, 5), "five": torch.nn.Conv2d(3, 5, 5)})
    assert [one.shape for one in few.pixels] == [(7, 28, 3), (14, 28, 3)]
