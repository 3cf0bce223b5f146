"""Sensitivity on networks of known truth."""

from __future__ import annotations

import pytest

import pellucid as pl
from tests.evaluation.networks import photos, weighted


def test_a_map_of_the_weights_does_not_move_and_one_of_the_image_as_far_as_it_does() -> None:
    """Of a weighted sum the gradient is the weights; times the input it moves with every pixel."""
    found = pl.quality.sensitivity(weighted(), photos(2), of="gradient,gradient_times_input", radius=0.1, samples=3)
    each = dict(zip(found["max"]["method"], found["max"]["change"], strict=True))
    assert each["gradient"] == pytest.approx(0, abs=1e-9)
    assert 0.01 < each["gradient_times_input"] < 0.5
    mean = dict(zip(found["mean"]["method"], found["mean"]["change"], strict=True))
    assert mean["gradient_times_input"] <= each["gradient_times_input"]
    assert found["max"]["method"][0] != "gradient_times_input"
    assert "gradient has the lowest" in found.findings[0]
