"""What lies between trainings on Fashion-MNIST at 14 × 14: the figures of the literature, on networks of some size."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace

import pytest
from torch import nn

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, train
from pellucid.net import Net, Preprocess
from tests.fashion import FOLDER
from tests.fashion import fashion as clothes

pytestmark = pytest.mark.slow
RECIPE = Recipe(epochs=10, batch=64, optimizer="adam", lr=3e-3)


@functools.cache
def fashion(count: int = 2000) -> Tensors:
    if not FOLDER.is_dir():
        pytest.skip("the package dataset-fashion-mnist is not installed")
    return clothes("train", count)


def data() -> pl.Data:
    return pl.Data.of((fashion().inputs, fashion().labels), pixels="0..1")


def net_of(module: nn.Module, name: str) -> Net:
    return Net(module.eval(), name, Preprocess(resize=14, crop=(14, 14), channels=1), scores="logits")


@functools.cache
def trained(seed: int, epochs: int = RECIPE.epochs) -> nn.Module:
    module = seeded(lambda: CNN(1, 10, size=14, widths=(12, 24), dense=64), seed)
    return train(module, fashion(), replace(RECIPE, seed=seed, epochs=epochs)).module


def test_two_seeds_are_parted_by_a_barrier_of_order_that_a_curve_goes_around() -> None:
    """Matching its channels takes away four fifths of it at least; the curve is about as low as its ends."""
    pair = [net_of(trained(seed), f"seed {seed}") for seed in (0, 1)]
    plainly, matched = pl.landscape.between(pair, data(), points=9).meta.found["barrier"]
    assert plainly > 0.5
    assert plainly > 5 * matched
    curve, straight = pl.landscape.connect(pair, data(), points=9).meta.found["highest"]
    assert straight > plainly
    assert curve < 0.4 * straight


def test_trainings_that_share_their_start_are_parted_by_none() -> None:
    pair = [net_of(train(copy.deepcopy(trained(0, 3)), fashion(), replace(RECIPE, seed=seed)).module, str(seed))
            for seed in (1, 2)]  # fmt: skip
    (found,) = pl.landscape.between(pair, data(), points=9, matching=False).meta.found["barrier"]
    assert found < 0.05
