"""Randomization on networks of known truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from tests.evaluation.networks import SIDE, photos, weighted


def test_the_gradient_of_a_sum_is_its_weights_and_changes_with_them() -> None:
    found = pl.quality.randomization(weighted(), photos(2), of="gradient", steps=1)
    each = dict(zip(found["ranking"]["method"], found["ranking"]["correlation"], strict=True))
    assert each["gradient"] < 0.5
    assert each["edges"] == pytest.approx(1)
    alone = pl.quality.randomization(weighted(), photos(2), of="gradient", steps=1, order="independent", magnitude=True)
    assert "order=independent" in alone.meta.found["protocol"]


def test_a_map_that_hardly_changes_is_named_and_ranked_by_all_steps() -> None:
    """The last layer only scales what the first has learned: with it drawn anew the map is the same, or the reverse."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 1, SIDE), nn.Flatten(), nn.Linear(1, 2)).double()
    net = pl.load(module, size=SIDE, mean=(0.0,) * 3, std=(1.0,) * 3)
    found = pl.quality.randomization(net, photos(2), of="gradient_times_input", steps=2)
    half, whole = np.abs(next(line for line in found["rank correlation"].lines if line.name != "edges").values)
    assert half == pytest.approx(1)
    assert whole < 0.9
    first = next(line for line in found["rank correlation"].lines if line.name != "edges").values[0]
    told = "much the same map (rank correlation 1.00)" if first > 0 else "much the same map with its sign turned (rank"
    assert found.findings[0].startswith(f"gradient_times_input: {told}")
    each = dict(zip(found["ranking"]["method"], found["ranking"]["correlation"], strict=True))
    assert (1 + whole) / 2 <= each["gradient_times_input"] < 1, "a mean of sizes is no less than the size of a mean"
    assert not any("much the same" in one for one in pl.quality.randomization(weighted(), photos(2)).findings)
