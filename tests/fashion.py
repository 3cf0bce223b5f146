"""Fashion-MNIST at 14 × 14, of the files of Debian's package dataset-fashion-mnist."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import torch

from pellucid.learning.objective import Tensors

FOLDER = Path("/usr/share/datasets/fashion-mnist")


def fashion(part: str, count: int, folder: Path = FOLDER) -> Tensors:
    """The first images of "train" or "t10k", (count, 1, 14, 14) in 0..1: means over 2 × 2 pixels; and their classes."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 784 * count), np.uint8, offset=16).reshape(-1, 14, 2, 14, 2)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + count), np.uint8, offset=8)
    return Tensors(torch.from_numpy(pixels.mean((2, 4), dtype=np.float32) / 255)[:, None], torch.tensor(labels).long())
