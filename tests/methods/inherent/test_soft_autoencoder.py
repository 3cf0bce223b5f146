"""Soft autoencoder: what is said of it follows from the module, image by image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.data import NewTask
from pellucid.errors import PellucidError
from pellucid.interpretable.restoring import knobbed, learned, middle, photos_of
from pellucid.interpretable.shrinkage import SoftAutoencoder
from pellucid.learning.train import Recipe
from tests.test_every_method import labeled, tiny


def test_levels_are_the_errors_of_restored_images() -> None:
    found = pl.inherent.soft_autoencoder(tiny(), labeled(), knobs=(0, 1), patches=32, recipe="epochs=2", noise=0.3)
    table = found.tables["levels"]
    assert table["noise"] == (0.15, 0.3, 0.6)
    photos = photos_of(tiny(), NewTask.of(labeled()), 0)
    for noise, said in zip(table["noise"], table["noisy"], strict=True):
        errors = [
            float((a - b).double().square().mean()) for a, b in zip(photos.noisy(noise), photos.test, strict=True)
        ]
        assert said == pytest.approx(np.mean([-10 * np.log10(one) for one in errors]))
    for row, line in zip(table.rows, found.curves["knob"].lines, strict=True):
        assert row["best"] == line.values.max()
        assert row["best knob"] == line.points[line.values.argmax()]
        assert row["trained"] == pytest.approx(line.values[1])
    assert found.pictures["restored"].columns == 3


def test_the_best_knob_rises_with_the_noise() -> None:
    photos = photos_of(tiny(), NewTask.of(labeled()), 0)
    module = SoftAutoencoder.haar(3, 0.2)
    knobs = (0.0, 0.5, 1.0, 2.0, 4.0)
    best = []
    for noise in (0.05, 0.4):
        each = knobbed(module, [middle(one) for one in photos.noisy(noise)], knobs)
        best.append(knobs[int(np.argmax([photos.mean_psnr(one) for one in each]))])
    assert best[0] < best[1]
    assert module.shrink.knob == 1


def test_it_learns() -> None:
    photos = photos_of(tiny(), NewTask.of(labeled()), 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = SoftAutoencoder(3, 16, 4, 2)
    course = learned(module, photos, 0.2, 32, Recipe(4, 8, "adam", 5e-3))
    assert course.series("train_loss")[-1] < course.series("train_loss")[0] / 1.5


def test_too_few_images() -> None:
    with pytest.raises(PellucidError, match="takes 4 at least"):
        pl.inherent.soft_autoencoder(tiny(), labeled(3))
