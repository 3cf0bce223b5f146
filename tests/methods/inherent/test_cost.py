"""Cost: the same images and the same twin for every form, and differences by hand."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import pellucid as pl
from pellucid.interpretable.cells import Judged
from pellucid.interpretable.forms import FORMS
from tests.methods.inherent.test_concept_bottleneck import TABLE
from tests.test_every_method import labeled, tiny


def test_the_cost_is_the_difference_on_the_same_images() -> None:
    found = pl.inherent.cost(tiny(), labeled(16), concepts=TABLE, recipe="epochs=1", repeats=2)
    table = found.tables["networks"]
    assert table["network"] == (*FORMS, "concept bottleneck")
    plain = table.rows[0]
    for row in table.rows:
        assert row["cost"] == pytest.approx(plain["accuracy"] - row["accuracy"])
        assert row["spread"] >= 0
    assert plain["cost"] == 0
    assert {line.name for line in found.curves["training"].lines} == set(FORMS)


def test_paired_errors_by_hand() -> None:
    module = nn.Identity()
    one, other = np.array([True, True, False, True]), np.array([True, False, False, True])
    less, error = Judged(module, other).cost(Judged(module, one))
    assert less == pytest.approx(0.25)
    assert error == pytest.approx(np.std([0, 1, 0, 0], ddof=1) / 2)
