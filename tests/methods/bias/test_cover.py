"""Covering a suspected place, against passes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from tests.test_every_method import labeled, tiny


def test_the_change_is_that_of_the_covered_photo() -> None:
    net, data = tiny(), labeled(6)
    found = pl.bias.cover(net, data, "dog", masks="0,0,0.5,0.25", fill="black", controls=0)
    scores, chances = [], []
    for i in range(6):
        pixels = data.image(i).pixels
        covered = pixels.clone()
        covered[:, :, :16, :8] = 0
        with torch.no_grad():
            both = net.run(torch.cat([pixels, covered])).output
        scores.append(both[1, 1].item() - both[0, 1].item())
        chance = both.softmax(1)[:, 1]
        chances.append(chance[1].item() - chance[0].item())
    assert np.allclose(found["photos"]["change"], scores, atol=1e-9)
    assert np.allclose(found["photos"]["probability change"], chances, atol=1e-9)
    rows = found["change"].rows
    assert [row["measure"] for row in rows] == ["score", "probability"]
    assert rows[0]["change"] == pytest.approx(np.mean(scores))
    assert rows[0]["low"] <= rows[0]["change"] <= rows[0]["high"]


def test_a_picture_is_pasted_into_the_place() -> None:
    """What is pasted is the place itself: nothing changes; another one: something does."""
    net, data = tiny(), labeled(1)
    patch = data.image(0).pixels[:, :, 16:, 16:]
    same = pl.bias.cover(net, data, "dog", masks="0.5,0.5,1,1", patch=patch, controls=0)
    assert same["photos"]["change"][0] == pytest.approx(0, abs=1e-6)
    other = pl.bias.cover(net, data, "dog", masks="0.5,0.5,1,1", patch=1 - patch, controls=0)
    assert abs(other["photos"]["change"][0]) > 1e-4


def test_a_planted_place_changes_more_than_others() -> None:
    """A network that reads the mean of the upper left fourth alone."""

    class Corner(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bright = x[:, :, :4, :4].mean((1, 2, 3))
            return torch.stack([bright, -bright], 1) * 5

    net = pl.load(Corner(), size=16, mean=(0, 0, 0), std=(1, 1, 1), labels=["bright", "dark"])
    pixels = np.random.default_rng(0).random((20, 3, 16, 16)) * 0.2
    pixels[:, :, :4, :4] += 0.7
    found = pl.bias.cover(net, torch.from_numpy(pixels), "bright", masks="top left", fill="black", controls=2)
    at, elsewhere, apart = found["change"].rows[3:]
    assert at["change"] < -0.4
    assert abs(elsewhere["change"]) < 0.05
    assert apart["p"] < 0.01
    assert "covering top left changes the probability by -0" in found.findings[0]
