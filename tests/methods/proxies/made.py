"""An index of digits by a small network, with features at three depths, that the tests of this chapter share."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

import pellucid as pl
from pellucid.index import Index
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Net, Preprocess

LAYERS = ("features.1", "features.4", "relu")


@functools.cache
def network() -> Net:
    """Right about nine of ten digits."""
    task = digits(300)
    module = seeded(lambda: CNN(1, 10, widths=(6, 12), dense=24), seed=0)
    train(module, task.train, Recipe(epochs=12, optimizer="adam", lr=5e-3))
    return Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))


@functools.cache
def folder() -> Path:
    """Where the index of 240 other digits lies."""
    found = Path(tempfile.mkdtemp(prefix="pellucid-test-"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    test = digits(300).test
    pixels = (255 * test.inputs[:240, 0].numpy()).astype(np.uint8)
    np.savez(found / "digits.npz", images=pixels, labels=test.labels[:240].numpy())
    pl.units.index(network(), found / "digits.npz", store=found / "x.index", count=6, embed=LAYERS)
    return found / "x.index"


def index() -> Index:
    """Of 240 digits."""
    return Index.of(str(folder())).with_net(network())
