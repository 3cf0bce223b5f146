"""Randomization on networks of known truth."""

from __future__ import annotations

import pytest

import pellucid as pl
from tests.evaluation.networks import photos, weighted


def test_the_gradient_of_a_sum_is_its_weights_and_changes_with_them() -> None:
    found = pl.quality.randomization(weighted(), photos(2), of="gradient", steps=1)
    each = dict(zip(found["ranking"]["method"], found["ranking"]["correlation"], strict=True))
    assert each["gradient"] < 0.5
    assert each["edges"] == pytest.approx(1)
    alone = pl.quality.randomization(weighted(), photos(2), of="gradient", steps=1, order="independent", magnitude=True)
    assert "order=independent" in alone.meta.found["protocol"]
