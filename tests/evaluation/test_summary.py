"""Means with intervals, paired tests, and tables that are of one protocol only."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.summary import Protocol, interval, paired
from tests.evaluation.networks import photos, weighted


def test_intervals_hold_the_mean_in_95_of_100() -> None:
    inside = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(3, 2, 40)
        low, high = interval(values, seed)
        inside += bool(low < 3 < high)
    assert 88 <= inside <= 99


def test_paired_differences_are_seen_where_means_overlap() -> None:
    chance = np.random.default_rng(0)
    image = chance.normal(0, 5, 30)
    assert paired(image, image + 0.5 + 0.1 * chance.normal(size=30), 0) < 0.01
    assert paired(image, image + 0.1 * chance.normal(size=30), 0) > 0.05
    assert paired(image, image, 0) == 1.0


def test_figures_of_two_protocols_are_not_put_into_one_table() -> None:
    net = weighted()
    one, two, other = (
        pl.quality.deletion(net, photos(2), of=of, steps=steps)["ranking"]
        for of, steps in (("gradient", 4), ("gradient_times_input", 4), ("gradient", 5))
    )
    assert len(pl.quality.joined([one, two])) == len(one) + len(two)
    with pytest.raises(
        PellucidError, match=r"different protocols, deletion:fill=training_mean,steps=4.* and deletion:.*steps=5"
    ):
        pl.quality.joined([one, other])
    assert Protocol("road", (("shares", "9"),)).id == "road:shares=9"


def test_the_table_says_who_cannot_be_told_from_the_best() -> None:
    table = pl.quality.deletion(weighted(), photos(3), of="gradient_times_input", fill="black", score="logit")[
        "ranking"
    ]
    assert table["method"][0] == "gradient_times_input"
    assert table["p"][0] is None
    assert all(p is not None and 0 < p <= 1 for p in table["p"][1:])
    assert table["behind"][0] == 0
    assert set(table["images"]) == {3}
