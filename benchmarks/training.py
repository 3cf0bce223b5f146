"""Time and memory of the methods of transfer and pruning on real networks.

python -m benchmarks.training DATA        # DATA: the folder with weights/resnet20-12fca82f.th and cifar10/
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tests.net.test_load import cifar_resnet

import pellucid as pl
from pellucid.data import Data


def images(folder: Path, name: str, count: int) -> Data:
    """The first images of a part of CIFAR-10."""
    with np.load(folder / "cifar10" / name) as file:
        return Data.of((torch.from_numpy(file["x"][:count]).permute(0, 3, 1, 2), file["y"][:count].astype(np.int64)))


def measured(what: str, ask: Callable[[], pl.result.Study]) -> None:
    """Ask, and say what it found, took and held."""
    start = time.perf_counter()
    found = ask()
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.0f} s, peak {peak:.0f} MB", *found.findings, sep="\n    ", flush=True)


def main(folder: Path) -> None:
    """ResNet-20 at 32 pixels, the embedded network at 224."""
    how = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "size": 32}
    net = pl.load(cifar_resnet(3), weights=folder / "weights" / "resnet20-12fca82f.th", **how)
    test = images(folder, "cifar10_test_first4000.npz", 1000)
    measured("transfer, read-outs, 1,000 images", lambda: pl.training.transfer(net, test, steps=0))
    measured("transfer with trainings, 300 images", lambda: pl.training.transfer(
        net, test.subset(300), layers=("layer1.2", "layer3.2"), shots=(5,), repeats=1, steps=20))  # fmt: skip
    measured("sim_to_real, darkened to a third, 300 images", lambda: pl.training.sim_to_real(
        net, darkened(test.subset(300)), simulated=test.subset(300), shots=(5,), repeats=1, steps=20))  # fmt: skip
    large = pl.load("bundled")
    measured("embedded, transfer, read-outs, 100 images at 224", lambda: pl.training.transfer(
        large, test.subset(100), shots=(1, 3), steps=0))  # fmt: skip
    measured("embedded, transfer with trainings, 60 images at 224", lambda: pl.training.transfer(
        large, test.subset(60), layers=("blocks.4.2",), shots=(1,), repeats=1, steps=4))  # fmt: skip

    measured("pruning, 300 images", lambda: pl.training.pruning(
        net, test.subset(300), kept=(0.3,), controls=1, steps=20))  # fmt: skip


def darkened(data: Data) -> Data:
    """The same images at a third of their brightness, with less contrast."""
    pixels = torch.stack([data.image(i).pictures[0] for i in range(len(data))]).float() / 255
    return Data.of((pixels / 3 + 0.1, data.labels), pixels="0..1")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
