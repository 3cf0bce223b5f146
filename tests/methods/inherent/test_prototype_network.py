"""Prototype network: what the table says, by hand, and that every prototype is a training patch."""

from __future__ import annotations

import functools

import pytest

import pellucid as pl
from pellucid.data import NewTask
from pellucid.errors import PellucidError
from pellucid.interpretable.cells import cells
from pellucid.methods.inherent.prototype_network import AFTER, BEFORE, DONE
from pellucid.result import Study
from tests.test_every_method import labeled, tiny


@functools.cache
def found() -> Study:
    return pl.inherent.prototype_network(tiny(), labeled(24), layer="block", each=2, width=4, recipe="epochs=4")


def test_each_prototype_is_a_real_cell_of_its_class() -> None:
    table, some = found().tables["prototypes"], cells(tiny(), NewTask.of(labeled(24)), "block")
    trained = {str(int(some.numbers[i])): some.classes[int(some.labels[i])] for i in some.train}
    for row in table.rows:
        assert trained[row["image"]] == row["class"]
        assert row["distance"] == pytest.approx(0, abs=1e-6)
        assert 0 <= row["row"] < some.maps.shape[2]
        assert 0 <= row["column"] < some.maps.shape[3]
    assert found().meta.found["missed"] < 1e-5
    cells_named = [(row["image"], row["row"], row["column"]) for row in table.rows]
    assert [row["copy"] for row in table.rows] == [one in cells_named[:i] for i, one in enumerate(cells_named)]


def test_four_accuracies_are_said_and_points_are_sums() -> None:
    table = found().tables["networks"]
    assert table["network"] == ("plain", BEFORE, AFTER, DONE)
    plain, done = table["accuracy"][0], table["accuracy"][-1]
    assert table["cost"][-1] == pytest.approx(plain - done)
    assert f"{done:.3f} {DONE}" in found().findings[0]
    shown = found().pictures["this_looks_like_that"]
    for near, weight, points in zip(*(shown.facts[name] for name in ("similarity", "weight", "points")), strict=True):
        assert points == pytest.approx(near * weight)
    assert len(found().pictures["prototypes"]) == 6


def test_boxes_are_what_cells_see() -> None:
    """The stem of the tiny network: 3 × 3 pixels, 2 apart, and the block's convolution behind it: 7 × 7."""
    some = cells(tiny(), NewTask.of(labeled()), "block")
    assert some.box(4, 5) == (5, 7, 12, 14)
    assert some.box(0, 0) == (0, 0, 4, 4)


def test_too_few_and_one_class() -> None:
    with pytest.raises(PellucidError, match="takes 8 at least"):
        pl.inherent.prototype_network(tiny(), labeled(3))
    pixels = labeled(12).source.images
    with pytest.raises(PellucidError, match="of one class"):
        pl.inherent.prototype_network(tiny(), (pixels, [0] * 12))
