"""Stability on networks of known truth."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import spearmanr
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.robustness import _inside as inside
from tests.evaluation.networks import photos, weighted


def test_what_takes_the_shift_back_and_what_does_not() -> None:
    """The gradient is the same of the shifted pixels; multiplied by them it is not (Kindermans et al. 2019)."""
    found = pl.quality.stability(weighted(), photos(2), of="gradient,gradient_times_input", shift=1)
    grid = found["changes"]
    at = {name: dict(zip(grid.columns, row, strict=True)) for name, row in zip(grid.rows, grid.values, strict=True)}
    assert at["gradient"]["input shift"] == pytest.approx(1)
    assert at["gradient_times_input"]["input shift"] < 0.999
    assert at["gradient"]["other seed"] == 1
    assert at["random"]["other seed"] < 0.3
    assert at["center"]["JPEG file"] == pytest.approx(1)


def test_a_crop_is_compared_where_it_was_cut() -> None:
    """The gradient of a linear network lies where its weights do, whatever is shown: not where a crop is."""
    net = weighted()
    found = pl.quality.stability(net, photos(2), of="gradient", shift=1)["changes"]
    heat = pl.attribution.gradient(net, photos(1)).array[0]
    inside = torch.from_numpy(heat[1:-1, 1:-1])
    shrunk = F.interpolate(torch.from_numpy(heat)[None, None], inside.shape, mode="bilinear", antialias=True)[0, 0]
    wanted = spearmanr(inside.ravel(), shrunk.ravel()).statistic
    assert heat.shape == (12, 12)
    assert found.values[found.rows.index("gradient"), found.columns.index("image cropped")] == pytest.approx(wanted)
    assert found.values[found.rows.index("center"), found.columns.index("image cropped")] > 0.99


def test_a_crop_must_leave_something() -> None:
    with pytest.raises(PellucidError, match=r"crop=0\.1: of 8 pixels it keeps fewer than two"):
        inside(8, 0.1)
