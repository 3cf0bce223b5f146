"""Maps land where they belong, and numbers get the colors they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.draw.bar import ticks
from pellucid.draw.colors import DARK, LIGHT, STEPS, Scale, diverging, reach, sequential, table, viewed
from pellucid.draw.look import Look
from pellucid.draw.overlay import SMOOTHINGS, Window, alone, overlaid, photograph, sampled, seen_box, strength
from pellucid.errors import PellucidError
from pellucid.geometry import Placement, View
from tests.draw import make

PLACE = Placement((15.5, 15.5), (32.0, 32.0), (99.0, 99.0))


def whole(view: View, factor: int = 1) -> Window:
    height, width = view.original
    return Window((0.0, 0.0, float(height), float(width)), (height * factor, width * factor))


@pytest.mark.parametrize("smooth", ["linear", "cubic", "gaussian"])
@pytest.mark.parametrize("cell", [(1, 1), (2, 5), (4, 3)])
@pytest.mark.parametrize(
    "view",
    [
        View((224, 224), (15.9, 79.8, 239.1, 303.2), (255, 384)),
        View((224, 224), (40.0, 3.5, 340.0, 103.5), (400, 260)),
        View((224, 160), (-10.0, 20.0, 330.0, 220.0), (300, 400)),
    ],
)
def test_a_lone_cell_lands_on_its_pixel(view: View, cell: tuple[int, int], smooth: str) -> None:
    values = np.zeros((7, 7))
    values[cell] = 1
    shown = sampled(values, PLACE, view, whole(view, 4), smooth).values
    y, x = np.unravel_index(shown.argmax(), shown.shape)
    expected = view.to_original(15.5 + 32 * cell[0], 15.5 + 32 * cell[1])
    found = (y + 0.5) / 4 - 0.5, (x + 0.5) / 4 - 0.5
    assert np.allclose(found, expected, atol=0.5)


def test_irregular_rows_and_columns_are_followed() -> None:
    place = Placement.at(np.array([10.0, 50.0, 60.0]), np.array([5.0, 90.0]), (20.0, 20.0))
    view = View.whole(64, 96)
    shown = sampled(np.array([[0.0, 1], [2, 3], [4, 5]]), place, view, whole(view), "linear").values
    assert np.allclose(shown[[10, 50, 60]][:, [5, 90]], [[0, 1], [2, 3], [4, 5]])
    assert shown[30, 5] == pytest.approx(1.0)  # half way between 0 and 2
    assert (shown[:10, :5] == 0).all()
    assert (shown[60:, 90:] == 5).all()  # the edge holds its value


def test_a_grid_may_be_finer_than_pixels_at_one_place_and_coarser_at_another() -> None:
    """Where cells lie closer than pixels each pixel is their mean; elsewhere it lies between its two neighbors."""
    place = Placement.at(np.array([1.0, 2.5, 9, 100, 180]), np.array([5.0, 90.0]), (20.0, 20.0))
    view = View.whole(224, 96)
    values = np.stack([np.arange(5.0), np.arange(5.0)], axis=1)
    shown = sampled(values, place, view, Window((0, 0, 224, 96), (40, 96)), "linear").values[:, 5]
    pixels = (np.arange(40) + 0.5) * 224 / 40 - 0.5
    apart = pixels > 9  # beyond the dense cells
    assert np.allclose(shown[apart], np.interp(pixels[apart], [1.0, 2.5, 9, 100, 180], np.arange(5.0)))
    assert np.isfinite(shown).all()
    assert 0 < shown[0] < 1


def test_what_the_network_never_saw_is_no_part_of_the_map() -> None:
    view = View((224, 224), (10.0, 20.0, 110.0, 120.0), (150, 200))
    seen = sampled(np.ones((7, 7)), PLACE, view, whole(view), "linear").seen
    assert seen[10:110, 20:120].all()
    assert seen.sum() == 100 * 100
    assert seen_box(View((8, 8), (-5.0, -5.0, 20.0, 25.0), (15, 25))) == (0.0, 0.0, 15.0, 25.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99), st.sampled_from(SMOOTHINGS))
def test_nothing_is_made_up_between_cells(rows: int, columns: int, seed: int, smooth: str) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    view = View.whole(40, 50)
    place = Placement.stretched(rows, columns, 40, 50)
    shown = sampled(values, place, view, whole(view), smooth).values
    assert shown.min() >= values.min() - 1e-9
    assert shown.max() <= values.max() + 1e-9


def test_between_cells_a_gaussian_has_no_creases_that_would_show_as_bars_and_boxes() -> None:
    values, view = np.random.default_rng(0).normal(size=(7, 7)), View.whole(224, 224)
    found = {how: sampled(values, PLACE, view, whole(view), how).values for how in ("linear", "cubic", "gaussian")}
    bends = {how: float(np.abs(np.diff(one, 2, axis=0)).max()) for how, one in found.items()}
    assert bends["gaussian"] < 0.25 * bends["cubic"]
    assert bends["gaussian"] < 0.1 * bends["linear"]


def test_the_gaussian_between_cells_is_that_of_the_formula() -> None:
    values, view = np.random.default_rng(0).normal(size=(7, 7)), View.whole(224, 224)
    found = sampled(values, PLACE, view, whole(view), "gaussian").values
    for y, x in ((111, 111), (3, 220), (60, 17)):
        at = [min(max((one - 15.5) / 32, -0.5), 6.5) for one in (y, x)]
        weights = [np.exp(-((at[k] - np.arange(7)) ** 2) / (2 * 0.5**2)) for k in (0, 1)]
        both = np.outer(*weights)
        assert found[y, x] == pytest.approx(float((both * values).sum() / both.sum()))


@pytest.mark.parametrize("view", ["positive", "negative", "magnitude"])
def test_vivid_colors_shine_the_more_there_is_and_differ_as_yellow_and_blue(view: str) -> None:
    colors = table(view, None, LIGHT, "vivid")
    light = colors**2.2 @ np.array([0.2126, 0.7152, 0.0722])  # as screens shine
    assert light[0] < 0.01
    assert light[-1] > 0.6
    assert (np.diff(light[::16]) > 0).all()
    both = table("signed", None, LIGHT, "vivid")
    assert len(both) == STEPS
    assert both[-1, 2] < 0.65 < both[0, 2]  # blue tells the ends apart
    assert both[STEPS // 2].max() < 0.2


def test_a_fine_map_shown_small_keeps_its_mean() -> None:
    values = np.random.default_rng(0).normal(size=(200, 200))
    view = View.whole(200, 200)
    shown = sampled(values, Placement.pixels(), view, Window((0.0, 0.0, 200.0, 200.0), (20, 20)), "linear").values
    blocks = values.reshape(20, 10, 20, 10).mean(axis=(1, 3))
    assert np.corrcoef(shown.ravel(), blocks.ravel())[0, 1] > 0.8
    assert np.abs(shown).max() < 1


def test_pixels_of_a_map_stand_on_the_pixels_of_the_photo() -> None:
    view = View.whole(12, 17)
    photo = make.photo(12, 17)
    assert np.array_equal(np.rint(photograph(photo, whole(view)) * 255), photo)
    values = np.random.default_rng(1).normal(size=(12, 17))
    assert np.allclose(sampled(values, Placement.pixels(), view, whole(view), "linear").values, values)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_zero_is_neutral_and_lightness_is_even(theme: object) -> None:
    dark = theme is DARK
    colors = diverging(dark)
    assert np.ptp(colors[STEPS // 2]) < 1e-4
    assert Scale(2.0, "signed", colors).color(np.zeros(1)).tolist() == [colors[STEPS // 2].tolist()]
    light = np.cbrt(np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4) @ [0.21, 0.72, 0.07])
    ends = np.diff(light[STEPS // 2 :]) * (1 if dark else -1)
    assert (ends > -1e-9).all()
    assert np.abs(np.diff(colors, n=2, axis=0))[np.r_[1 : STEPS // 2 - 2, STEPS // 2 + 1 : STEPS - 2]].max() < 0.01
    violet = np.diff(sequential(dark).mean(1)) * (1 if dark else -1)
    assert violet.mean() > 0


def test_nothing_is_laid_over_the_photo_where_the_map_is_zero() -> None:
    assert strength(np.zeros(3), 0.8).tolist() == [0, 0, 0]
    assert strength(np.array([-1.0, 1.0]), 0.8).tolist() == [0.8, 0.8]
    view, scale = View.whole(20, 20), Scale(1.0, "signed", diverging(False))
    photo = photograph(make.photo(20, 20), whole(view))
    heat = sampled(np.zeros((20, 20)), Placement.pixels(), view, whole(view), "linear")
    shown = overlaid(photo, heat, scale, LIGHT, 1.0)
    assert (np.ptp(shown, axis=-1) == 0).all()  # gray


def test_what_is_not_finite_is_hatched_and_spoils_no_neighbor() -> None:
    values = np.zeros((7, 7))
    values[3, 3], values[0, 0] = np.nan, -np.inf
    view = View.whole(224, 224)
    heat = sampled(values, PLACE, view, whole(view), "linear")
    assert heat.broken[112, 112]
    assert heat.broken[0, 0]
    assert heat.broken.mean() == pytest.approx(2 / 49, abs=0.01)
    assert np.isfinite(heat.values).all()
    shown = alone(heat, Scale(1.0, "signed", diverging(False)), LIGHT)
    assert np.ptp(shown[heat.broken][:, 0]) > 100
    assert (shown[~heat.broken] > 240).all()


def test_views_and_reach() -> None:
    values = np.array([-3.0, -1, 0, 2, np.nan])
    assert viewed(values, "positive")[:4].tolist() == [0, 0, 0, 2]
    assert viewed(values, "negative")[:4].tolist() == [3, 1, 0, 0]
    assert viewed(values, "magnitude")[:4].tolist() == [3, 1, 0, 2]
    assert reach(values, 100.0) == 3
    assert reach(np.array([0.0] * 999 + [5.0]), 99.0) == 5  # never nothing where there is something
    assert reach(np.array([np.nan]), 99.0) == reach(np.zeros(4), 99.0) == 0


@pytest.mark.parametrize("limit", [1e-300, 3.7e-6, 0.41, 1.0, 9.9, 123456.0])
def test_ticks_are_few_and_hold_zero(limit: float) -> None:
    found = ticks(Scale(limit, "signed", diverging(False)))
    assert 0.0 in found
    assert 3 <= len(found) <= 5
    assert max(found) <= limit
    assert found == [-t for t in reversed(found)]


def test_one_scale_for_all_panels_or_each_its_own() -> None:
    heats = [make.coarse(seed=i) for i in range(4)]
    largest = [float(np.abs(heat.values).max()) for heat in heats]
    assert {scale.limit for scale in Look().scales(heats)} == {max(largest)}
    assert [scale.limit for scale in Look(scale="own").scales(heats)] == largest
    fixed = Look(scale=0.5).scales(heats)
    assert {scale.limit for scale in fixed} == {0.5}
    assert all(scale.clipped for scale in fixed)
    fine = make.fine()
    assert Look().scales([fine])[0].limit == pytest.approx(np.percentile(np.abs(fine.values), 99))
    assert Look(percentile=100).scales([fine])[0].limit == np.abs(fine.values).max()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"view": "posititve"}, "positive"),
        ({"scale": "comon"}, "common"),
        ({"scale": 0}, "above 0"),
        ({"percentile": 0}, "percentile"),
        ({"opacity": 2}, "opacity"),
        ({"smooth": "linar"}, "linear"),
        ({"colors": "virids"}, "viridis"),
    ],
)
def test_bad_options_are_answered_by_name(options: dict[str, object], said: str) -> None:
    with pytest.raises(PellucidError, match=said):
        Look(**options)  # type: ignore[arg-type]


def test_color_tables_of_matplotlib_can_be_named() -> None:
    assert table("signed", "viridis", LIGHT).shape == (STEPS, 3)
    assert np.allclose(table("positive", None, LIGHT)[0], diverging(False)[STEPS // 2])
    assert np.allclose(table("negative", None, LIGHT)[-1], diverging(False)[0])
