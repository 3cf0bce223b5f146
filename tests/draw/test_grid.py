"""Grids as pictures: colors in order, what is missing is seen, names never overlap."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.colors import LIGHT
from pellucid.draw.grid import ramp_of
from pellucid.draw.sheet import Photo
from pellucid.errors import PellucidError
from tests.draw import plots
from tests.draw.test_pictures import assert_tidy


@pytest.mark.parametrize("rows", [1, 5, 60, 300])
@pytest.mark.parametrize("columns", [1, 8, 70, 500])
def test_grids_of_every_shape_are_tidy(rows: int, columns: int) -> None:
    picture = pl.draw(plots.grid(rows, columns))
    assert_tidy(picture)
    assert {"layer", "step", "gradient norm"} <= set(plots.said(picture))


def test_equal_factors_are_equal_steps_of_color() -> None:
    ramp = ramp_of(plots.grid(), LIGHT)
    assert np.ptp(np.diff(ramp.share(np.array([1e-4, 1e-2, 1.0])))) < 1e-12
    assert ramp.share(np.array([0.0, -1.0, np.inf])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("log", [False, True])
def test_the_center_has_the_color_in_the_middle(log: bool) -> None:
    values = np.array([[0.5, 1.0, 8.0]])
    result = dataclasses.replace(plots.grid(1, 3), values=values, log=log, center=1.0)
    shares = ramp_of(result, LIGHT).share(values)[0]
    assert shares[1] == pytest.approx(0.5)
    assert shares[2] == pytest.approx(1.0)
    assert shares[0] == pytest.approx((1 - 1 / 3) / 2 if log else (1 - 0.5 / 7) / 2)


def test_cells_are_shown_as_they_are_and_missing_ones_hatched() -> None:
    result = plots.grid(30, 40)
    picture = pl.draw(result)
    cells = max((mark for mark in picture.sheet.marks if isinstance(mark, Photo)), key=lambda mark: mark.pixels.size)
    high, wide = cells.pixels.shape[0] // 30, cells.pixels.shape[1] // 40
    shown = cells.pixels.reshape(30, high, 40, wide, 3)
    flat = (shown == shown[:, :1, :, :1]).all((1, 3, 4))
    assert not flat[0, 0]
    assert flat.sum() == 1199
    ramp = ramp_of(result, LIGHT)
    assert np.abs(shown[7, 0, 11, 0] - 255 * ramp.color(result.values)[7, 11]).max() <= 1
    assert "Hatched, or a dash: 1 cell was not measured." in plots.said(picture)


def test_small_grids_say_their_numbers() -> None:
    result = dataclasses.replace(plots.grid(2, 2), values=np.array([[1.25, 2.5], [0.125, np.nan]]))
    assert {"1.25", "2.5", "0.125", "–"} <= set(plots.said(pl.draw(result)))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(PellucidError, match="empty"):
        pl.draw(dataclasses.replace(plots.grid(), values=np.zeros((0, 8)), rows=()))
    for values in (np.full((5, 8), np.nan), np.zeros((5, 8)), np.ones((5, 8))):
        assert_tidy(pl.draw(dataclasses.replace(plots.grid(), values=values)))
        assert_tidy(pl.draw(dataclasses.replace(plots.grid(), values=values, center=1.0)))
