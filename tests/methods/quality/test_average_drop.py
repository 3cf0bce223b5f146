"""Average drop on networks of known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import pellucid as pl
from tests.evaluation.networks import SIDE, photos, plant, shares, weighted

__all__ = ["plant"]


def test_a_bright_map_loses_nothing_and_a_dark_one_all(plant: Callable[..., None]) -> None:
    """What is shown where the map is 1, and what is not where it is 0."""
    net = weighted()
    corner = np.zeros((SIDE, SIDE))
    corner[-1, 0] = 1
    plant(
        shown=lambda pixels: np.where(shares(net, pixels) >= 0, 1.0, 0.0) - 1e-12 * corner, hidden=lambda pixels: corner
    )
    found = pl.quality.average_drop(net, photos(2), of="shown,hidden")
    drop = dict(zip(found["drop"]["method"], found["drop"]["drop"], strict=True))
    p = [float(net.run(net.prepare(pl.read(one)).pixels).probabilities[0, 0]) for one in photos(2)]
    assert drop["shown"] == pytest.approx(0, abs=1e-3)
    assert drop["hidden"] == pytest.approx(np.mean([(one - 0.5) / one for one in p]), abs=1e-2)
