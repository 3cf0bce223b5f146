"""Filters, activation maps and tables, drawn: the right colors in the right places, and every odd shape."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.sheet import Photo, Shape, Words
from pellucid.draw.tables import cell
from pellucid.errors import PellucidError, UnknownName
from pellucid.geometry import Placement
from pellucid.result import ActivationMaps, Filters, Table
from tests.draw import make
from tests.draw.make import photo, view

META = make.meta("first_layer", "First-layer filters", net="toy", layer="conv1", weights="ab" * 32)


def filters(values: np.ndarray, **how: Any) -> Filters:
    count, channels = values.shape[:2]
    given = {"units": tuple(range(count)), "inputs": (tuple(range(channels)),) * count, "meta": META, **how}
    return Filters(values, **given)


def photos_of(picture: Any) -> list[np.ndarray]:
    return [mark.pixels for mark in picture.sheet.marks if isinstance(mark, Photo)]


def words_of(picture: Any) -> str:
    return " ".join(mark.text for mark in picture.sheet.marks if isinstance(mark, Words))


def maps(values: np.ndarray, **how: Any) -> ActivationMaps:
    n, units, rows, columns = values.shape
    place = Placement((15.5, 15.5), (224 / rows, 224 / columns), (99.0, 99.0))
    given = {
        "units": tuple(range(10, 10 + units)), "placement": place, "views": (view(),) * n, "channels": 40,
        "blank": tuple((values == 0).all((2, 3)).sum(1) / max(units, 1)),
        "meta": make.meta("maps", "Activation maps", layer="act", images=tuple(f"cat {i}" for i in range(n))),
        **how,
    }  # fmt: skip
    return ActivationMaps(values, **given)


# filters


def edge() -> np.ndarray:
    """One filter, (1, 3, 5, 5): red above the diagonal from the lower left, cyan below it."""
    y, x = np.mgrid[:5, :5]
    side = np.sign(4 - y - x).astype(float)
    return np.stack([side, -side, -side])[None]


def test_a_red_cyan_edge_reads_as_such() -> None:
    shown = photos_of(pl.draw(filters(edge(), colors=True)))[0]
    assert shown[2, 2].tolist() == [255, 0, 0]
    assert shown[-3, -3].tolist() == [0, 255, 255]
    middle = len(shown) // 2
    assert shown[middle, middle].tolist() == [128, 128, 128]
    apart = photos_of(pl.draw(filters(edge(), colors=True), panels="channels"))[0]
    side = apart.shape[0]
    red, green, blue = apart[:, :side], apart[:, -2 * side - 2 : -side - 2], apart[:, -side:]
    assert (red[2, 2].tolist(), red[-3, -3].tolist()) == ([255] * 3, [0] * 3)
    for other in (green, blue):
        assert (other[2, 2].tolist(), other[-3, -3].tolist()) == ([0] * 3, [255] * 3)


def test_a_common_scale_and_one_for_each() -> None:
    values = np.ones((2, 1, 3, 3))
    values[1] *= 0.5
    common, own = (pl.draw(filters(values), scale=scale) for scale in ("common", "own"))
    assert [int(pixels[2, 2, 0]) for pixels in photos_of(common)[:2]] == [255, 191]
    assert [int(pixels[2, 2, 0]) for pixels in photos_of(own)] == [255, 255]
    assert "one scale for all, to ±1" in words_of(common)
    assert "each filter on a scale of its own" in words_of(own)
    assert len(photos_of(common)) == 3  # the third is the color bar
    assert "from the left: red, green, blue" in words_of(
        pl.draw(filters(np.ones((2, 3, 3, 3)), colors=True), panels="channels")
    )


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1, 1), (96, 3, 7, 7), (7, 320, 1, 1), (2, 2048, 3, 3), (200, 1, 3, 3), (5, 4, 3, 7), (3, 12, 11, 11)],
)
@pytest.mark.parametrize("colors", [True, False])
def test_filters_of_every_shape(shape: tuple[int, ...], colors: bool) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    picture = pl.draw(filters(values, colors=colors and shape[1] == 3, names=("45°",) * shape[0]), dark=colors)
    assert 100 < picture.array.shape[1] <= 2300
    tile = photos_of(picture)[0]
    assert len({tuple(pixel) for pixel in tile.reshape(-1, 3).tolist()}) >= min(values[0, 0].size, 9)


def test_weights_that_are_no_numbers_are_seen() -> None:
    values = np.ones((1, 1, 3, 3))
    values[0, 0, 0, 0] = np.nan
    picture = pl.draw(filters(values))
    red, green, blue = photos_of(picture)[0][1, 1].tolist()
    assert red > 200 > 100 > green < blue
    assert "1 weights are no numbers" in words_of(picture)


def test_grouped_filters_say_what_they_read() -> None:
    values = np.ones((4, 2, 3, 3))
    text = words_of(pl.draw(filters(values, inputs=((0, 1), (0, 1), (2, 3), (2, 3)))))
    assert "reads 0–1" in text
    assert "reads 2–3" in text
    assert "reads 3" in words_of(pl.draw(filters(np.ones((2, 1, 3, 3)), inputs=((2,), (3,)))))
    assert "reads" not in words_of(pl.draw(filters(values)))


def test_filters_refuse() -> None:
    with pytest.raises(PellucidError, match="no filters to draw"):
        pl.draw(filters(np.ones((0, 3, 3, 3)), inputs=()))
    with pytest.raises(PellucidError, match="filters are not made of images"):
        pl.draw(filters(np.ones((1, 3, 3, 3))), over=photo())
    with pytest.raises(UnknownName, match="no option of draw for a Filters 'view'"):
        pl.draw(filters(np.ones((1, 3, 3, 3))), view="signed")


# maps


def test_true_zeros_are_blank_and_not_just_dark() -> None:
    values = np.full((1, 1, 2, 2), 1e-6)
    values[0, 0, 0, 0], values[0, 0, 1, 1] = 0, 1
    shown = photos_of(pl.draw(maps(values)))[0]
    half = len(shown) // 2
    zero, small = shown[4 : half - 4, 4 : half - 4], shown[4 : half - 4, half + 4 : -4]
    assert len({tuple(p) for p in zero.reshape(-1, 3).tolist()}) == 2  # paper and stripes
    assert len({tuple(p) for p in small.reshape(-1, 3).tolist()}) == 1
    text = words_of(pl.draw(maps(values)))
    assert "zero 25%" in text
    assert "striped is exactly zero" in text.lower()


def test_blank_maps_say_so_with_and_without_photo() -> None:
    values = np.zeros((1, 2, 4, 4))
    values[0, 1, 2, 2] = 3
    for over in (None, photo()):
        text = words_of(pl.draw(maps(values), over=over))
        assert text.count("blank") >= 3  # in the map, under it, and the share of all
        assert "50.0 % of the layer's 40 maps are blank" in text
        assert "max 3" in text
    assert "None of the layer's" in words_of(pl.draw(maps(values[:, 1:])))


def test_filters_on_pixels_share_a_scale_and_others_do_not() -> None:
    assert "one scale for all" in words_of(pl.draw(filters(np.ones((2, 1, 3, 3)))))
    assert "a scale of its own" in words_of(pl.draw(filters(np.ones((2, 5, 3, 3)))))
    deep = filters(np.ones((2, 1, 3, 3)), inputs=((0,), (1,)))  # depthwise
    assert "a scale of its own" in words_of(pl.draw(deep))


def test_filters_come_in_pages() -> None:
    made = filters(np.ones((130, 150, 3, 3)))
    first, last = (pl.draw(made, page=page) for page in (1, 10))
    assert "page 1 of 10: filters 0 to 13 of 130" in words_of(first)
    assert "page 10 of 10: filters 126 to 129 of 130" in words_of(last)
    assert len(photos_of(first)) == 14
    assert len(photos_of(last)) == 4
    with pytest.raises(PellucidError, match="page=11: there are 10 of them, for 130 filters"):
        pl.draw(made, page=11)
    assert "page" not in words_of(pl.draw(filters(np.ones((96, 3, 2, 2)), colors=True)))


def test_common_scale_of_maps_has_a_bar() -> None:
    values = np.ones((1, 2, 2, 2))
    values[0, 1] = 0.25
    own, common = pl.draw(maps(values)), pl.draw(maps(values), scale="common")
    assert len(photos_of(own)) == 2
    assert len(photos_of(common)) == 3
    assert photos_of(own)[0][5, 5].tolist() == photos_of(own)[1][5, 5].tolist()
    assert photos_of(common)[0][5, 5].tolist() != photos_of(common)[1][5, 5].tolist()
    assert "one scale for all" in words_of(common)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "units"), [(1, 1), (1, 5), (1, 16), (3, 4), (8, 2)])
@pytest.mark.parametrize("over", [False, True])
def test_maps_of_every_number(n: int, units: int, over: bool) -> None:
    values = np.random.default_rng(0).normal(size=(n, units, 7, 7)).astype(np.float32)
    picture = pl.draw(maps(values), over=photo() if over else None, dark=over)
    assert len(photos_of(picture)) == n * units
    assert picture.array.shape[1] <= 2300
    text = words_of(picture)
    for unit in range(10, 10 + units):
        assert f"unit {unit}" in text
    assert ("cat 2" in text) is (n > 2)


def test_maps_that_are_no_numbers_and_pixelwise_ones() -> None:
    values = np.full((1, 2, 3, 3), np.nan)
    values[0, 1] = np.inf
    assert "no numbers" in words_of(pl.draw(maps(values)))
    fine = np.random.default_rng(1).random((1, 1, 300, 200))
    assert pl.draw(maps(fine)).array.size
    with pytest.raises(PellucidError, match="no maps to draw"):
        pl.draw(maps(np.ones((1, 0, 3, 3))))
    with pytest.raises(UnknownName, match="no option of draw for a ActivationMaps 'color'"):
        pl.draw(maps(np.ones((1, 1, 3, 3))), color="red")


# tables


def table(rows: int = 5, **how: Any) -> Table:
    rng = np.random.default_rng(0)
    columns = {
        "layer": tuple(f"blocks.{i}" for i in range(rows)),
        "size": tuple(range(rows)),
        "spread": tuple(float(x) for x in rng.normal(size=rows)),
        "share": tuple(None if i % 3 == 0 else i / rows for i in range(rows)),
    }
    about = {name: f"what {name} is" for name in columns}
    return Table(
        columns, about, **{"plot_columns": ("spread", "share"), "findings": ("all is well",), "meta": META, **how}
    )


def bars(picture: Any, color: str) -> list[tuple[float, float]]:
    """(width, height) of all shapes filled with a color."""
    found = []
    for mark in picture.sheet.marks:
        if isinstance(mark, Shape) and mark.fill == color and mark.opacity == 1:
            x, y = zip(*mark.points, strict=True)
            found.append((max(x) - min(x), max(y) - min(y)))
    return found


@pytest.mark.parametrize("rows", [1, 5, 40, 41, 300])
@pytest.mark.parametrize("dark", [False, True])
def test_tables_of_every_length(rows: int, dark: bool) -> None:
    picture = pl.draw(table(rows, highlighted=(0,)), dark=dark, title="A table")
    assert 380 < picture.array.shape[1] <= 2300
    assert picture.array.shape[0] < 2000
    text = words_of(picture)
    for word in ("A table", "All is well", "Spread", "Share", "what share is"):
        assert word in text


@pytest.mark.parametrize("rows", [6, 60])
def test_bars_are_as_long_as_their_numbers(rows: int) -> None:
    values = tuple(float(i) for i in range(rows))
    picture = pl.draw(Table({"name": tuple(map(str, range(rows))), "n": values}, plot_columns=("n",)))
    lengths = [wide if rows == 6 else high for wide, high in bars(picture, "#3b6fb6")]
    assert len(lengths) == rows - 1  # nothing for zero
    assert np.allclose(np.array(lengths) / lengths[-1], np.arange(1, rows) / (rows - 1), atol=1e-6)


def test_marked_rows_stand_out() -> None:
    for rows in (6, 60):
        values = tuple(1.0 for _ in range(rows))
        picture = pl.draw(
            Table({"name": tuple(map(str, range(rows))), "n": values}, plot_columns=("n",), highlighted=(2, 3))
        )
        assert len(bars(picture, "#c2410c")) == 2
        assert len(bars(picture, "#3b6fb6")) == rows - 2


def test_powers_of_ten_where_nothing_else_shows_both() -> None:
    values = tuple(10.0**i for i in range(60))
    picture = pl.draw(Table({"name": tuple(map(str, range(60))), "n": values}, plot_columns=("n",)))
    assert "(in powers of ten)" in words_of(picture)
    heights = [high for _, high in bars(picture, "#3b6fb6")]
    assert heights == sorted(heights)
    assert heights[-1] > 1.05 * heights[-6]
    odd = (math.inf, math.nan, -1.0, None, 5.0, 1e300)
    assert pl.draw(Table({"name": tuple("abcdef"), "n": odd}, plot_columns=("n",))).array.size


def test_cells() -> None:
    assert [cell(value) for value in (None, True, False, 3, 0.12345, "x", -2.0)] == [
        "–", "yes", "no", "3", "0.123", "x", "−2",
    ]  # fmt: skip


def test_tables_refuse() -> None:
    with pytest.raises(PellucidError, match="the table has no rows"):
        pl.draw(Table({"a": ()}))
    with pytest.raises(PellucidError, match="not drawn over images"):
        pl.draw(table(), over=photo())
    with pytest.raises(UnknownName, match="no option of draw for a Table 'view'"):
        pl.draw(table(), view="signed")


def test_dark_pictures_are_dark() -> None:
    for result in (filters(np.ones((2, 1, 3, 3))), maps(np.ones((1, 1, 3, 3))), table()):
        light, dark = (pl.draw(result, dark=dark).array[2, 2].mean() for dark in (False, True))
        assert (light, dark) == (255, pytest.approx(23, abs=5))


def test_what_is_said_goes_into_files(tmp_path: Any) -> None:
    sick = dataclasses.replace(table(), findings=("layer 3 is silent",))
    assert "layer 3 is silent" in pl.draw(sick).alt
    assert "2 filters of layer conv1" in pl.draw(filters(np.ones((2, 1, 3, 3)))).alt
    assert "units 10" in pl.draw(maps(np.ones((1, 1, 3, 3)))).alt
    assert pl.draw(sick).save(tmp_path / "x.svg").stat().st_size > 1000
