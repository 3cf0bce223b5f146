"""Road on networks of known truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pellucid as pl
from tests.evaluation.networks import photos, plant, shares, weighted

__all__ = ["plant"]


def test_the_first_pixels_of_a_perfect_map_cost_more_than_its_last(plant: Callable[..., None]) -> None:
    net = weighted()
    plant(perfect=lambda pixels: shares(net, pixels), reverse=lambda pixels: -shares(net, pixels))
    found = pl.quality.road(net, photos(2), of="perfect,reverse", shares=3, score="logit")
    each = dict(zip(found["ranking"]["method"], found["ranking"]["margin"], strict=True))
    assert each["perfect"] > 0 > each["reverse"]
    assert each["perfect"] == pytest.approx(-each["reverse"])
