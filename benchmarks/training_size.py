"""Time and memory of every method of the chapters landscape and training at real size, each in a process of its own.

python -m benchmarks.training_size DATA [--networks embedded,resnet20] [--methods line,plane,…]

DATA holds `images-imagenet1000`, `cifar10` and `weights`. The embedded network is asked about 16 photos at 224 pixels,
ResNet-20 about 128 images of CIFAR-10; second networks and checkpoints are these with a little noise on their weights.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.methods.training.networks import cifar

import pellucid as pl
from pellucid.net import Net


@dataclass(frozen=True)
class Asked:
    """A network with its data: 16 or 128 images, and the same with other images."""

    net: Net
    data: Any
    other: Any

    def moved(self, much: float) -> Net:
        """The network with noise on its weights, on the scale of each."""
        chance = torch.Generator().manual_seed(int(1e4 * much))
        weights = {name: one.detach() for name, one in self.net.module.named_parameters()}
        return self.net.with_weights({
            name: one + much * one.std(correction=0) * torch.randn(one.shape, generator=chance)
            for name, one in weights.items()
        })  # fmt: skip


def embedded(data: Path) -> Asked:
    """What the network answers counts as the class."""
    net = pl.load("bundled")
    photos = sorted(map(str, (data / "images-imagenet1000").glob("*.jpg")))
    sets = []
    for some in (photos[0:1000:63][:16], photos[7:1000:63][:16]):
        sets.append((some, [int(net.run(net.prepare(pl.read(one))).output.argmax()) for one in some]))
    return Asked(net, *sets)


def resnet20(data: Path) -> Asked:
    """Training images of CIFAR-10."""
    with np.load(data / "cifar10/cifar10_train_first5000.npz") as file:
        pixels, labels = torch.from_numpy(file["x"]).permute(0, 3, 1, 2), file["y"].astype(np.int64)
    net = cifar(lambda path: data.parent / path, "resnet20")
    return Asked(net, (pixels[:128], labels[:128]), (pixels[128:256], labels[128:256]))


NETWORKS: dict[str, Callable[[Path], Asked]] = {"embedded": embedded, "resnet20": resnet20}
METHODS: dict[str, Callable[[Asked], Any]] = {
    "line": lambda q: pl.landscape.line(q.net, q.data, points=9, count=1),
    "plane": lambda q: pl.landscape.plane(q.net, q.data, points=5),
    "between": lambda q: pl.landscape.between([q.net, q.moved(0.1)], q.data, points=5),
    "trajectory": lambda q: pl.landscape.trajectory([q.moved(0.2), q.moved(0.1), q.net], q.data, points=3),
    "connect": lambda q: pl.landscape.connect([q.net, q.moved(0.1)], q.data, points=5, epochs=1),
    "sharpness": lambda q: pl.landscape.sharpness(q.net, q.data, products=5, directions=2, steps=2),
    "curvature": lambda q: pl.landscape.curvature(q.net, q.data, products=5, probes=3),
    "convexity": lambda q: pl.landscape.convexity(q.net, q.data, points="3:reach=0.3", products=4),
    "gradient_flow": lambda q: pl.training.gradient_flow(q.net, q.data),
    "initialization": lambda q: pl.training.initialization(q.net, q.data, epochs=1, repeats=1),
    "calibration": lambda q: pl.training.calibration(q.net, q.data),
    "invariance": lambda q: pl.training.invariance(q.net, q.data),
    "pruning": lambda q: pl.training.pruning(q.net, q.data, kept=(0.5, 0.1), controls=1),
    "transfer": lambda q: pl.training.transfer(q.net, q.data, shots=(1,), repeats=1, steps=4),
    "sim_to_real": lambda q: pl.training.sim_to_real(q.net, q.data, simulated=q.other, shots=(1,), repeats=1, steps=4),
    "memorization": lambda q: pl.training.memorization(q.net, q.data, kinds=("true labels", "random labels"), epochs=2),
    "lottery_tickets": lambda q: pl.training.lottery_tickets(q.net, q.data, rounds=1, epochs=1, repeats=1),
    "linear_regions": lambda q: pl.training.linear_regions(q.net, q.data, segments=1, max_passes=200),
}


def main(data: Path, network: str, name: str) -> None:
    """Ask one of them, and say what it took and held."""
    asked = NETWORKS[network](data)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = METHODS[name](asked)
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{network}, {name}: {seconds:.0f} s, {cpu:.0f} s CPU, peak of the process {after.ru_maxrss / 1024:.0f} MB",
          *found.findings, sep="\n    ", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--here", action="store_true", help="in this process")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for which in given.networks.split(","):
        for one in given.methods.split(","):
            if given.here:
                main(given.data, which, one)
            else:
                words = [str(given.data), "--networks", which, "--methods", one, "--here"]
                subprocess.run([sys.executable, "-m", "benchmarks.training_size", *words], check=False)
