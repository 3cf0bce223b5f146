"""Pictures of how layers code color, and of receptive fields."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.hues import color_of
from pellucid.errors import PellucidError
from pellucid.result import ColorSelectivity, LayerColors, ReceptiveFields
from tests.draw import make


def colors(units: int) -> ColorSelectivity:
    chance = np.random.default_rng(0)
    one = LayerColors(
        "conv", 9, tuple(range(units)), np.linspace(-0.1, 1.2, units), np.linspace(0, 6, units), np.ones(units),
        np.zeros(units), chance.integers(0, 255, (units, 5, 5, 3), dtype=np.uint8), 0.5, 0.7, silent=1,
    )  # fmt: skip
    return ColorSelectivity((one, one), 0.25, {"L−M": 0.2, "S": 1.9}, make.meta(title="Color coding", net="tiny"))


def fields() -> ReceptiveFields:
    values = np.zeros((2, 20, 30))
    values[:, 8:12, 13:17] = 1 / 16
    boxes = ((7.0, 12.0, 13.0, 18.0), (-10.0, -5.0, 30.0, 35.0))
    return ReceptiveFields(values, ("a", "b"), boxes, ((2.0, 2.0), (4.0, 8.0)), ((9.5, 14.5),) * 2, ((1.1, 1.1),) * 2)


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("units", [0, 1, 8])
def test_colors_are_drawn(units: int, dark: bool) -> None:
    result = colors(units)
    picture = pl.draw(result, dark=dark)
    assert min(picture.array.shape[:2]) > 300
    assert picture.alt.startswith("Color coding: color-selective units in each layer: conv ")
    words = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    assert ("no unit is excited" in words) == (units == 0)
    assert ("no unit is color-selective" in words) == (units < 2)
    assert f"{units} of 9 units" in words


def test_a_hue_has_its_color() -> None:
    red, yellow, blue = (
        tuple(int(color_of(a)[i : i + 2], 16) for i in (1, 3, 5)) for a in (0.0, np.pi / 2, -np.pi / 2)
    )
    assert red[0] > red[1] + 100
    assert yellow[0] == pytest.approx(yellow[1], abs=2)
    assert yellow[0] > yellow[2] + 60
    assert blue[2] > blue[0] + 60


def test_fields_are_drawn() -> None:
    picture = pl.draw(fields())
    words = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    assert "theoretical 6 × 6" in words
    assert "effective 4 × 4: 54 % of it" in words
    assert "a cell every 4 × 8 pixels" in words
    assert "a theoretical 6 × 6" in picture.alt
    empty = dataclasses.replace(fields(), values=np.zeros((2, 20, 30)))
    assert pl.draw(empty).array.size


def test_neither_lies_over_a_picture() -> None:
    for result in (colors(3), fields()):
        with pytest.raises(PellucidError, match="without over="):
            pl.draw(result, "sample:panda")
