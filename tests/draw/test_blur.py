"""Grainy maps are smoothed over a photo, by a Gaussian whose σ is said; other maps are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.blur import grainy, smoothed
from pellucid.draw.look import Look
from pellucid.draw.sheet import Words, per_row
from pellucid.errors import PellucidError
from pellucid.geometry import Placement, View
from pellucid.result import Heatmap
from tests.draw import make


def small(values: np.ndarray, **how: object) -> Heatmap:
    high, wide = values.shape
    view = View.whole(high, wide)
    meta = make.meta("gradient", target="tabby")
    return Heatmap(values[None], Placement.pixels(), (view,), "logit", meta=meta, **how)  # type: ignore[arg-type]


def test_the_mean_is_that_of_the_formula() -> None:
    values = np.random.default_rng(0).normal(size=(9, 12))
    found = smoothed(small(values), Look(sigma=1.5)).values[0]
    for y, x in ((0, 0), (4, 6), (8, 3)):
        total = weight = 0.0
        for v in range(9):
            for u in range(12):
                if max(abs(v - y), abs(u - x)) <= 4:  # three σ, in whole pixels
                    w = float(np.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * 1.5**2)))
                    total, weight = total + w * float(values[v, u]), weight + w
        assert found[y, x] == pytest.approx(total / weight)


def test_numbers_that_are_not_finite_have_no_weight_and_stay() -> None:
    values = np.ones((6, 6))
    values[2, 3] = np.nan
    found = smoothed(small(values), Look(sigma=1)).values[0]
    assert np.isnan(found[2, 3])
    assert np.allclose(found[np.isfinite(found)], 1)


def test_signs_of_slopes_would_cancel_and_those_of_evidence_are_kept() -> None:
    values = np.where(np.indices((10, 10)).sum(0) % 2, 1.0, -1.0)
    evidence = smoothed(small(values), Look(sigma=2))
    slope = smoothed(small(values, sign="slope"), Look(sigma=2))
    assert np.abs(evidence.values).max() < 0.2
    assert evidence.signed
    assert np.allclose(slope.values, 1)
    assert not slope.signed


def test_noise_is_grainy_and_masks_and_coarse_maps_are_not() -> None:
    y, x = np.mgrid[:224, :224]
    assert grainy(make.fine())
    assert not grainy(small(np.exp(-((y - 90) ** 2 + (x - 50) ** 2) / 800)))
    assert not grainy(small((y // 40 + x // 40) % 3 * 1.0))
    assert not grainy(make.coarse())
    assert not grainy(small(np.zeros((8, 8))))


def test_a_grainy_map_is_shown_by_itself_and_smoothed_over_the_photo() -> None:
    said = [mark.text for mark in pl.draw(make.fine(), make.photo()).sheet.marks if isinstance(mark, Words)]
    assert "pixel by pixel" in said
    assert "mean size around each pixel, Gaussian of σ 8 pixels" in said
    several = pl.draw([make.fine(), make.fine(seed=1)], make.photo(), sigma=5)
    assert any("Gaussian of σ 5 pixels" in mark.text for mark in several.sheet.marks if isinstance(mark, Words))
    with pytest.raises(PellucidError, match="sigma=-1"):
        pl.draw(make.fine(), sigma=-1)


def test_errors_of_sampled_maps_are_shown_beside_them_and_in_words() -> None:
    heat = make.coarse(np.full((1, 7, 7), 2.0))
    heat = replace(heat, error=np.where(np.arange(49).reshape(1, 7, 7) < 12, 1.5, 0.25))
    picture = pl.draw(heat, make.photo())
    said = [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]
    assert "its standard error, on the same scale" in said
    told = " ".join(said)
    assert "0.25 logit in the median" in told
    assert "24% of the map lies within two standard errors" in told  # 12 of 49 cells
    assert not any("standard error" in mark.text for mark in pl.draw(make.coarse()).sheet.marks
                   if isinstance(mark, Words))  # fmt: skip


@pytest.mark.parametrize(
    ("count", "most", "row"),
    [(1, 5, 1), (4, 5, 4), (5, 5, 5), (6, 5, 3), (7, 5, 4), (9, 8, 3), (8, 8, 8), (12, 8, 6), (11, 8, 6), (128, 8, 8)],
)
def test_grids_are_laid_out_by_count(count: int, most: int, row: int) -> None:
    assert per_row(count, most) == row
    assert -(-count // row) == -(-count // per_row(count, row))
