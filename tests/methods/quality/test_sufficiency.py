"""Sufficiency on networks of known truth."""

from __future__ import annotations

from collections.abc import Callable

import pellucid as pl
from tests.evaluation.networks import photos, plant, shares, weighted

__all__ = ["plant"]


def test_a_perfect_map_needs_few_pixels(plant: Callable[..., None]) -> None:
    net = weighted()
    plant(perfect=lambda pixels: shares(net, pixels), reverse=lambda pixels: -shares(net, pixels))
    found = pl.quality.sufficiency(net, photos(2), of="perfect,reverse", fill="black", steps=36, share=0.9)
    each = dict(zip(found["ranking"]["method"], found["ranking"]["pixels"], strict=True))
    assert each["perfect"] < each["random"] < each["reverse"]
