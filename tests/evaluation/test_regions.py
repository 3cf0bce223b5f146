"""From maps to boxes and points, against plain loops: pixels of the original picture, through resizing and cropping."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.regions import (
    components,
    in_original,
    iou,
    mask_on_input,
    peak,
    pixels_of,
    seen,
    share_inside,
)
from pellucid.evaluation.summary import interval, paired
from pellucid.geometry import Placement, View
from pellucid.result import Heatmap, Meta

VIEW = View((32, 32), (8.0, 28.0, 72.0, 92.0), (80, 120))
"""The middle of 80 × 120 pixels, at half their size."""


def heatmap(values: np.ndarray, placement: Placement, view: View = VIEW) -> Heatmap:
    return Heatmap(values[None].astype(float), placement, (view,), meta=Meta(found={"images": ("a",)}))


def test_a_box_of_pixels_goes_back_through_resize_and_crop() -> None:
    values = np.zeros((32, 32))
    values[4:8, 10:20] = 1
    row = pl.localization.boxes(heatmap(values, Placement.pixels())).rows[0]
    assert [row[side] for side in ("left", "top", "right", "bottom")] == [28 + 20, 8 + 8, 28 + 40, 8 + 16]
    assert row["area"] == pytest.approx(40 / 1024)
    assert row["energy"] == 1


def test_cells_are_boxed_where_they_see_to_the_pixel() -> None:
    """A tent of one cell: what is at least a fifth of its maximum, by a loop; a cell further right is 8 pixels."""
    for column in (1, 2):
        values = np.zeros((4, 4))
        values[1, column] = 1
        start, jump = 5.5, 8.0
        row = pl.localization.boxes(heatmap(values, Placement((start, start), (jump, jump), (9.0, 9.0)))).rows[0]
        tent = [1 - abs(x - (start + jump * column)) / jump for x in range(32)]
        inside = [x for x in range(32) if tent[x] >= 0.2 * max(tent)]
        assert (row["left"], row["right"]) == (28 + 2 * inside[0], 28 + 2 * (inside[-1] + 1))
    stretched = pl.localization.boxes(heatmap(values, Placement.stretched(4, 4, 32, 32))).rows[0]
    assert row["left"] - stretched["left"] == 4  # (5.5 − 3.5) pixels of the input, of 2 pixels of the picture each


def test_the_largest_part_or_all_of_them() -> None:
    values = np.zeros((32, 32))
    values[2:5, 2:5] = 9
    values[10:20, 10:20] = 3
    values[20, 20] = 3  # touches by a corner
    values[0, 31] = 1  # below a fifth of the maximum
    heat = heatmap(values, Placement.pixels(), View.whole(32, 32))
    assert [row["left"] for row in pl.localization.boxes(heat, several=True).rows] == [10, 2]
    (row,) = pl.localization.boxes(heat).rows
    assert (row["right"], row["bottom"]) == (21, 21)
    assert row["energy"] == pytest.approx(303 / (303 + 81 + 1))
    assert not pl.localization.boxes(heatmap(-values, Placement.pixels()))
    with pytest.raises(PellucidError, match="share=0: a share of the map's maximum"):
        pl.localization.boxes(heat, 0)


def test_masks_are_of_the_original_picture() -> None:
    """By a loop over its pixels: linear between the centers of cells, nothing beyond what the network sees."""
    values = np.zeros((4, 4))
    values[1, 2], values[3, 0] = 1, 0.9
    placement = Placement((5.5, 5.5), (8.0, 8.0), (9.0, 9.0))
    (mask,) = pl.localization.masks(heatmap(values, placement))
    (several,) = pl.localization.masks(heatmap(values, placement), several=True)
    at = 5.5 + 8 * np.arange(4)
    whole = np.full((80, 120), -np.inf)
    for y in range(8, 72):
        for x in range(28, 92):
            row = [np.interp((x + 0.5 - 28) / 2 - 0.5, at, line) for line in values]
            whole[y, x] = np.interp((y + 0.5 - 8) / 2 - 0.5, at, row)
    expected = whole >= 0.2 * whole.max()
    assert np.array_equal(several, expected)
    near = pl.localization.boxes(heatmap(values, placement)).rows[0]
    ys, xs = np.nonzero(mask)
    assert mask.sum() < several.sum()
    assert (several & ~mask)[:, 28:50].any()
    assert abs(xs.min() - near["left"]) <= 2 >= abs(ys.max() + 1 - near["bottom"])
    assert not pl.localization.masks(heatmap(-values, placement))[0].any()


def test_overlaps_by_counting() -> None:
    chance = np.random.default_rng(0)
    corners = chance.integers(0, 12, (9, 2, 2))
    boxes = np.array([[*one.min(0), *(one.max(0) + 1)] for one in corners], float)
    for a in boxes:
        for b in boxes:
            masks = []
            for left, top, right, bottom in (a, b):
                mask = np.zeros((14, 14), bool)
                mask[int(top) : int(bottom), int(left) : int(right)] = True
                masks.append(mask)
            assert iou(a[None], b[None])[0, 0] == pytest.approx(
                (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
            )
    assert np.array_equal(components(masks[0], largest=True)[0], boxes[-1])


def test_masks_are_read_where_pixels_have_their_centers() -> None:
    mask = np.random.default_rng(1).random((80, 120)) < 0.5
    found = mask_on_input(mask, VIEW)
    for y, x in [(0, 0), (3, 7), (31, 31)]:
        there, across = VIEW.to_original(float(y), float(x))
        assert found[y, x] == mask[int(np.floor(there + 0.5)), int(np.floor(across + 0.5))]
    assert np.array_equal(seen(VIEW), [[28, 8, 92, 72]])
    outside = View((4, 4), (-2.0, -2.0, 2.0, 2.0), (2, 2))  # a border around a small picture
    assert mask_on_input(np.ones((2, 2), bool), outside).sum() == 4
    assert np.array_equal(in_original(np.array([[0.0, 0.0, 4.0, 4.0]]), outside), [[0, 0, 2, 2]])


def test_peaks_among_equals_are_drawn_by_chance() -> None:
    heat = np.zeros((4, 5))
    heat[1, 2] = heat[3, 4] = 2
    heat[0, 0] = np.nan
    found = [peak(heat, seed, "a") for seed in range(200)]
    assert set(found) == {(1, 2), (3, 4)}
    assert 70 < found.count((1, 2)) < 130
    assert peak(heat, 3, "a") == peak(heat, 3, "a")


def test_shares_of_flat_and_negative_maps_are_those_of_the_area() -> None:
    mask = np.zeros((4, 5), bool)
    mask[:2, :3] = True
    for flat in (np.ones((4, 5)), -np.ones((4, 5)), np.zeros((4, 5))):
        assert share_inside(flat, mask) == 0.3
    heat = np.where(mask, 2.0, -5.0)
    heat[3, 3] = 4
    assert share_inside(heat, mask) == pytest.approx(12 / 16)


def test_values_of_one_image_are_no_more_than_one_image() -> None:
    """Four cases of each image, all alike: interval, and test, of the images alone."""
    values = np.random.default_rng(2).random((3, 20))
    many, groups = values.repeat(4, axis=1), np.arange(20).repeat(4)
    assert np.allclose(interval(many, 0, "a", groups=groups), interval(values, 0, "a"))
    assert np.ptp(interval(many[0], 0, "a")) < 0.7 * np.ptp(interval(many[0], 0, "a", groups=groups))
    assert paired(many[0], many[1], 0, "a", groups=groups) == paired(values[0], values[1], 0, "a")


def test_rows_of_the_input_in_the_picture() -> None:
    rows, columns = pixels_of(VIEW)
    assert rows[[0, 1, 31]].tolist() == [9, 11, 71]  # two of the picture each; its center is the edge between them
    assert columns[[0, 31]].tolist() == [29, 91]
