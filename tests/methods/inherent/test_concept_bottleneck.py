"""Concept bottleneck: corrections by hand, leaks that are planted, tables that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.interpretable.annotated import ConceptTable
from pellucid.interpretable.bottlenecks import Lesson, concept_accuracy, corrected, learned, whitened
from pellucid.learning.train import Recipe
from tests.test_every_method import labeled, tiny

TABLE = {"0": {"a": "yes", "b": "no"}, "1": {"a": "no", "b": "no"}, "2": {"a": "no", "b": "yes"}}
LONGER = Recipe(80, 32, "adam", 0.02, schedule="cosine")


def lesson(hidden: bool) -> Lesson:
    """Three binary concepts, each in a feature; the class is their number, and with `hidden` half a feature besides."""
    chance = np.random.default_rng(0)
    concepts, extra = chance.integers(2, size=(240, 2)), chance.integers(2, size=240)
    rows = np.concatenate([concepts, extra[:, None]], 1) + 0.1 * chance.standard_normal((240, 3))
    labels = concepts @ [1, 2] + (4 * extra if hidden else 0)
    every = torch.arange(240)
    return Lesson(torch.from_numpy(rows).float(), torch.from_numpy(labels), torch.from_numpy(concepts), (2, 2),
                  every[:160], every[160:], 8 if hidden else 4)  # fmt: skip


@pytest.mark.slow
def test_honest_bottlenecks_are_helped_by_corrections() -> None:
    given = lesson(False)
    given.rows[160:, 0] = 0.5  # concept 0 cannot be seen any more
    for way in ("independent", "sequential"):
        head = learned(given, way, 0.0, LONGER, 0)
        assert concept_accuracy(head, given)[1] > 0.95
        none, one, both = (each.accuracy[0] for each in corrected(head, given, "uncertain", 0))
        assert one > none + 0.2, "the uncertain concept is set right first"
        assert both > 0.9


@pytest.mark.slow
def test_joint_training_knows_more_than_its_concepts() -> None:
    given = lesson(True)
    assert given.ceiling() == pytest.approx(0.5, abs=0.1)
    honest, joint = (learned(given, way, 0.0, LONGER, 0) for way in ("independent", "joint"))
    assert corrected(honest, given, "random", 0)[0].accuracy[0] <= given.ceiling() + 0.05
    told = corrected(joint, given, "random", 0)
    assert told[0].accuracy[0] > given.ceiling() + 0.1
    assert told[-1].accuracy[0] < told[0].accuracy[0] - 0.1


def test_axes_tell_concepts() -> None:
    given = lesson(False)
    for channel, axis in whitened(given, [("a", 0, 1), ("b", 1, 1)]):
        assert channel > 0.99
        assert axis > 0.99


def test_the_method_says_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text("class,a,b\n" + "".join(f"{k},{row['a']},{row['b']}\n" for k, row in TABLE.items()))
    assert ConceptTable.of(str(path)) == ConceptTable.of(TABLE)
    found = pl.inherent.concept_bottleneck(tiny(), labeled(24), concepts=path, strengths=(1.0,), recipe="epochs=2")
    table = found.tables["networks"]
    assert table["network"] == ("plain", "independent", "sequential", "joint, strength 1")
    for name, line in zip(table["network"][1:], found.curves["corrections"].lines, strict=True):
        row = table["network"].index(name)
        assert line.name == name
        assert (table["accuracy"][row], table["corrected"][row]) == (line.values[0], line.values[-1])
    assert found.meta.found["ceiling"] == 1
    assert len(found.tables["axes"]) == 4


@pytest.mark.parametrize(
    ("table", "said"),
    [({"0": {"a": "x"}}, "neither"), ({"0": {"a": "x"}, "1": {"b": "x"}}, "those before"), ({}, "concepts are"),
     ("nowhere.csv", "No such file"), ({str(k): {"a": "x"} for k in range(3)}, "tells nothing")],
)  # fmt: skip
def test_tables_that_do_not_fit(table: object, said: str) -> None:
    with pytest.raises(PellucidError, match=said):
        pl.inherent.concept_bottleneck(tiny(), labeled(), concepts=table)
