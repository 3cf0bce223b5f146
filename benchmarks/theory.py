"""Theory measured at real size: the architecture of a CIFAR ResNet-20 on images of CIFAR-10, a few epochs of each.

python benchmarks/theory.py /path/to/cifar10_train_first5000.npz    # x (N, 32, 32, 3) in 0..255 and y (N,)
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

import pellucid as pl
from pellucid.learning.networks import ResNet, seeded
from pellucid.net import Preprocess
from pellucid.result import Study

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main(path: str) -> None:
    """One after the other, each with its time, the memory that the process has had at most, and its findings."""
    with np.load(path) as file:
        pixels, labels = torch.from_numpy(file["x"][:2000]).permute(0, 3, 1, 2), file["y"][:2000].astype(np.int64)
    data = pl.Data.of((pixels, labels))
    module = seeded(lambda: ResNet(3, 10, depth=20, widths=(16, 32, 64)), 0)
    net = pl.Net(module, "ResNet-20", Preprocess(resize=32, crop=(32, 32), mean=MEAN, std=STD), scores="logits")
    asked: dict[str, Callable[[], Study]] = {
        "double_descent, 500 images, 5 draws": lambda: pl.training.double_descent(data, samples=500),
        "linear_regions, 1 segment, 1,000 images run": lambda: pl.training.linear_regions(
            net, data, segments=1, max_passes=1000
        ),
        "memorization, 128 images, 6 epochs, true and random": lambda: pl.training.memorization(
            net, data, kinds=("true labels", "random labels"), epochs=6, samples=128
        ),
        "lottery_tickets, 96 images, 1 round, 3 epochs": lambda: pl.training.lottery_tickets(
            net, data, rounds=1, pruned=0.5, epochs=3, samples=96, repeats=1
        ),
        "intrinsic_dimension, 96 images, d = 100 and 500, 3 epochs": lambda: pl.training.intrinsic_dimension(
            net, data, dimensions=(100, 500), epochs=3, samples=96, repeats=1
        ),
    }
    for name, ask in asked.items():
        start = time.perf_counter()
        found = ask()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}: {time.perf_counter() - start:.0f} s, peak of the process {peak:.0f} MB")
        print("".join(f"    {one}\n" for one in found.findings), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
