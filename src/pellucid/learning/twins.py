"""Two small networks that are the same but for what they learned: digits by their labels, and by labels at random."""

from __future__ import annotations

from functools import lru_cache

from torch.nn.functional import interpolate

from pellucid.learning.font_digits import font_digits
from pellucid.learning.meaningless import changed
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, Trained, train
from pellucid.net import Labels, Net, Preprocess

SIDE, _DIGITS = 16, 400
"""Digits of 8 × 8 are drawn twice as large: of maps of 2 × 2 cells any two are alike, or the reverse, by chance."""
_EPOCHS, _LEARNED = 300, 0.98
"""Training ends when this share is right, at the latest after so many epochs: random labels take some 60."""


@lru_cache(1)  # seconds of training for half a megabyte: one method after another is asked with the same seed
def twins(seed: int) -> tuple[Tensors, Trained, Trained]:
    """The digits, the network of their true labels, and that of random ones."""
    digits = enlarged(_DIGITS, seed)
    drawn, _ = changed(digits, digits, "random labels", seed)
    return digits, learned(digits, seed), learned(drawn, seed)


def enlarged(count: int, seed: int) -> Tensors:
    """Digits of fonts, (N, 1, 16, 16) in 0..1."""
    digits = font_digits(count, seed, randomized=True)
    return Tensors(interpolate(digits.inputs, (SIDE, SIDE), mode="bilinear"), digits.labels)


def as_net(trained: Trained, name: str) -> Net:
    """A network of these digits, to be asked about."""
    seen = Preprocess(resize=SIDE, crop=(SIDE, SIDE), channels=1)
    return Net(trained.module.eval(), name, seen, Labels.plain([str(one) for one in range(10)]), scores="logits")


def learned(digits: Tensors, seed: int, batch: int = 40) -> Trained:
    """A small network that is trained until nearly all of them are right; with one seed it begins with one and the
    same weights.
    """
    module = seeded(lambda: CNN(1, 10, size=SIDE, widths=(16, 32), dense=128), seed)
    return train(module, digits, Recipe(_EPOCHS, batch, "adam", 2e-3, until=_LEARNED, seed=seed))
