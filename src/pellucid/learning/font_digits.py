"""Simulated digits: those of the fonts that matplotlib ships, as 8 × 8 images like the handwritten ones."""

from __future__ import annotations

import numpy as np
import torch

from pellucid.images.sources.font_digits import font_digit
from pellucid.learning.objective import Tensors
from pellucid.rng import generator


def font_digits(count: int, seed: int = 0, *, randomized: bool = False) -> Tensors:
    """`count` digits, (N, 1, 8, 8) in 0..1, of 12 fonts of the DejaVu family: 32 × 32 black or white, of which blocks
    of 4 × 4 are counted, as in Alpaydin & Kaynak 1998. With `randomized` each has a thickness, a slant, an angle up to
    20° and a width of its own, drawn at random (domain randomization, Tobin et al. 2017).
    """
    inputs, labels = np.zeros((count, 1, 8, 8), np.float32), np.arange(count) % 10
    for i, digit in enumerate(labels):
        drawn = font_digit(int(digit), generator(seed, "font digits", i), randomized=randomized)
        inputs[i, 0] = drawn.reshape(8, 4, 8, 4).mean((1, 3))
    return Tensors(torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.int64)))
