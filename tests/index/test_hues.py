"""Hues: planted colors, opposite ones, and the axes of cone-opponent cells."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.index.hues import cone_axes, hue_of


def test_hues() -> None:
    red, cyan = np.array([0.8, 0.3, 0.3]), np.array([0.2, 0.7, 0.7])
    hue, chroma, opposed = hue_of(np.stack([red] * 3))
    assert (hue, opposed) == (pytest.approx(np.arctan2(0.25, 0.5)), pytest.approx(0))
    assert chroma == pytest.approx(np.hypot(0.5, 0.25))
    both = hue_of(np.stack([red] * 3 + [cyan] * 2))
    assert both[0] == pytest.approx(hue)  # the stronger end of the same axis
    assert both[2] == pytest.approx(1 - 1 / 5)
    assert hue_of(np.full((4, 3), 0.5)) == (0, 0, 0)


def test_cone_axes_are_what_they_are_said_to_be() -> None:
    """A change along L−M is reddish and keeps S; one along S is bluish against yellow."""
    axes = {name: np.degrees(angle) for name, angle in cone_axes().items()}
    assert axes["L−M"] < 30 or axes["L−M"] > 150
    assert 80 < axes["S"] < 125
