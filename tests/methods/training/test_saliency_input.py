"""Saliency as an input: a map that knows which of two things counts, and one that does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.baselines import BASELINES
from pellucid.learning.beside import Beside
from pellucid.learning.train import Recipe, train
from pellucid.methods.training.saliency_input import OTHER, OWN, WITHOUT
from tests.test_every_method import labeled, tiny

SIDE = 8


def test_the_map_begins_as_nothing_or_multiplies() -> None:
    module = nn.Conv2d(3, 2, 3).double()
    pixels, more = torch.rand(2, 3, 6, 6, dtype=torch.float64), torch.rand(2, 1, 6, 6, dtype=torch.float64)
    both = torch.cat([pixels, more], 1)
    beside = Beside(module, 3, "channel")
    assert torch.equal(beside(both), module(pixels))
    with torch.no_grad():
        assert beside.weight is not None
        beside.weight[1] = 2.0
    changed = pixels.clone()
    changed[:, 1] += 2 * more[:, 0]
    assert torch.allclose(beside(both), module(changed), atol=1e-12)
    product = Beside(module, 3, "product")
    assert torch.equal(product(both), module(pixels * more))
    assert len(list(product.parameters())) == len(list(module.parameters()))


def two_bars(count: int = 160) -> tuple[Tensor, np.ndarray]:
    """A bar on the left and one on the right, each upright or lying by chance. One of them is brighter than the other
    by so little that only the map says which: the class is whether that one is upright.
    """
    chance = np.random.default_rng(0)
    pixels, labels = np.zeros((count, 1, SIDE, SIDE)), np.arange(count) % 2
    for i, label in enumerate(labels):
        side = chance.integers(2)
        for where in (0, 1):
            upright = label if where == side else chance.integers(2)
            left = 4 * where
            if upright:
                pixels[i, 0, 2:6, left + 2] = 0.8
            else:
                pixels[i, 0, 4, left : left + 4] = 0.8
        pixels[i, 0, 0, 0] = 0.001 * side  # what the planted map reads
    return torch.from_numpy(pixels).float(), labels


def told(pixels: Tensor, seed: int, name: str) -> np.ndarray:
    """1 on the side that counts."""
    side = int(float(pixels[0, 0, 0]) > 0.0005)
    found = np.zeros((SIDE, SIDE))
    found[:, 4 * side : 4 * side + 4] = 1
    return found


@pytest.mark.slow
def test_a_map_that_knows_what_counts_is_worth_something_and_another_images_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(BASELINES, "told", told)
    monkeypatch.setitem(BASELINES, "flat", lambda pixels, seed, name: np.ones((SIDE, SIDE)))
    photos, labels = two_bars()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 32), nn.ReLU(), nn.Linear(32, 2))
    train(module, (photos, torch.from_numpy(labels)), Recipe(2, optimizer="adam", lr=0.003))
    net = pl.load(module, size=SIDE, channels=1, mean=(0.0,), std=(1.0,))
    weights = net.weights
    asked = {"way": "product", "recipe": "epochs=30,lr=0.01"}
    found = pl.training.saliency_input(net, (photos, labels), of="told", **asked)
    rows = {row["network"]: row for row in found["networks"].rows}
    assert rows[OWN]["accuracy"] > 0.95
    assert rows[OWN]["low"] > 0
    assert rows[WITHOUT]["accuracy"] < 0.85
    assert rows[OTHER]["accuracy"] < 0.85
    assert rows[OWN]["gain"] == pytest.approx(rows[OWN]["accuracy"] - rows[WITHOUT]["accuracy"])
    assert "the map adds" in found.findings[1]
    assert net.weights == weights
    assert [line.name for line in found["training"].lines] == [WITHOUT, OWN, OTHER]
    nothing = pl.training.saliency_input(net, (photos, labels), of="flat", **asked)
    assert [row["gain"] for row in nothing["networks"].rows[1:]] == [0, 0], "the same inputs, the same training"
    assert "adds nothing" in nothing.findings[1]


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(PellucidError, match="4 images: to train on some"):
        pl.training.saliency_input(tiny(), labeled(4))
    with pytest.raises(PellucidError, match="one method at a time"):
        pl.training.saliency_input(tiny(), labeled(8), of="gradient,grad_cam")
