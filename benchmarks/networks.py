"""What lies between trained networks: barriers, curves, orders of channels, and the path of a training.

python -m benchmarks.networks [FOLDER] [narrow] [wide] [shared] [curve] [path]

FOLDER holds Fashion-MNIST's IDX files; by default it is that of Debian's package dataset-fashion-mnist.

Everything is about 4,000 images of Fashion-MNIST, averaged over 2 × 2 pixels to 14 × 14.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from tests.fashion import FOLDER, fashion
from torch import nn

import pellucid as pl
from pellucid.learning.networks import CNN, ResNet, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, train

IMAGES = 4000
NARROW, WIDE = ((12, 24), 64), ((48, 96), 256)
RECIPE = Recipe(epochs=15, batch=64, optimizer="adam", lr=2e-3)


def cnn(data: Tensors, widths: tuple[tuple[int, int], int], seed: int, recipe: Recipe = RECIPE) -> nn.Module:
    """One of these trained from the start of a seed."""
    module = seeded(lambda: CNN(1, 10, size=14, widths=widths[0], dense=widths[1]), seed)
    return train(module, data, replace(recipe, seed=seed)).module


def net_of(module: nn.Module, name: str) -> pl.Net:
    """With pixels as they are."""
    seen = pl.net.Preprocess(resize=14, crop=(14, 14), channels=1)
    return pl.Net(module.eval(), name, seen, scores="logits")


def told(text: str, start: float) -> None:
    """A line with its seconds."""
    print(f"{text} ({time.perf_counter() - start:.0f} s)", flush=True)


def barriers(data: Tensors, given: pl.Data, name: str, widths: tuple[tuple[int, int], int]) -> list[pl.Net]:
    """Between two seeds, before and after matching."""
    start = time.perf_counter()
    pair = [net_of(cnn(data, widths, seed), f"seed {seed}") for seed in (0, 1)]
    told(f"{name}: trained", start)
    start = time.perf_counter()
    found = pl.landscape.between(pair, given, points=21)
    line = found.lines[0]
    ends = [float(line.values[line.points == t][0]) for t in (0, 0.5, 1)]
    plainly, matched = found.meta.found["barrier"]
    told(f"{name}: loss {ends[0]:.3f}, {ends[1]:.3f}, {ends[2]:.3f} at t = 0, 1/2, 1", start)
    told(f"{name}: barrier {plainly:.3f}, matched {matched:.3f}: {plainly / matched:.1f} times less", start)
    return pair


def shared(data: Tensors, given: pl.Data) -> None:
    """The same first three epochs, then other orders of the images."""
    start = time.perf_counter()
    trunk = cnn(data, NARROW, 0, replace(RECIPE, epochs=3))
    pair = [net_of(train(copy.deepcopy(trunk), data, replace(RECIPE, seed=seed)).module, str(seed)) for seed in (1, 2)]
    found = pl.landscape.between(pair, given, points=21, matching=False)
    told(f"the first 3 epochs shared: barrier {found.meta.found['barrier'][0]:.4f}", start)


def curve(pair: list[pl.Net], given: pl.Data) -> None:
    """A Bezier curve between two seeds."""
    start = time.perf_counter()
    found = pl.landscape.connect(pair, given)
    told(f"Bezier curve: {'; '.join(found.findings)}", start)


def path(data: Tensors, given: pl.Data) -> None:
    """A narrow ResNet of depth 8, its weights after each of 12 epochs."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        module = seeded(lambda: ResNet(1, 10, depth=8), 0)
        train(
            module, data, Recipe(12, 64, "sgd", 0.1, nesterov=True, weight_decay=5e-4, schedule="step"), folder=folder
        )
        told("ResNet of depth 8: trained", start)
        start = time.perf_counter()
        nets = pl.Nets.of(f"{folder}/checkpoints", net=net_of(module, "ResNet 8"))
        for centered in (False, True):
            found = pl.landscape.trajectory(nets, given.part(0, 500), points=9, centered=centered, log=folder)
            pl.draw(found).save(f"trajectory_{'about_mean' if centered else 'about_last'}.png")
            told(f"path of {len(nets)} checkpoints, centered {centered}: {'; '.join(found.findings)}", start)


def main() -> None:
    """Print every figure, or of the parts that are named."""
    torch.set_num_threads(1)
    parts = [one for one in sys.argv[1:] if one in ("narrow", "wide", "shared", "curve", "path")]
    folder = next((Path(one) for one in sys.argv[1:] if one not in parts), FOLDER)
    data = fashion("train", IMAGES, folder)
    given = pl.Data.of((data.inputs, data.labels), pixels="0..1")
    asked = parts or ["narrow", "wide", "shared", "curve", "path"]
    pair = barriers(data, given, "12-24-64", NARROW) if {"narrow", "curve"} & {*asked} else []
    if "curve" in asked:
        curve(pair, given)
    if "shared" in asked:
        shared(data, given)
    if "path" in asked:
        path(data, given)
    if "wide" in asked:
        barriers(data, given, "48-96-256", WIDE)


if __name__ == "__main__":
    main()
