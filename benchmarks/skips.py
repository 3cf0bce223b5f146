"""Depth and skip connections: four narrow ResNets are trained, and the planes of their losses drawn on one scale.

python -m benchmarks.skips /usr/share/datasets/fashion-mnist --out skips/      # where Debian's package has its files

Everything goes on where it was stopped: some 5 minutes of training, 2 for the planes, 8 for the eigenvalues, on one
core. It ends with the four statements that must hold, and fails where one does not.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tests.fashion import fashion

import pellucid as pl
from pellucid.learning.networks import ResNet, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, Trained, train
from pellucid.result import Surface

NETS = {"20 layers, skips": (20, True, 0.1), "20 layers, plain": (20, False, 0.1),
        "56 layers, skips": (56, True, 0.1), "56 layers, plain": (56, False, 0.02)}  # fmt: skip
"""Name -> depth, skips, learning rate."""
TRAIN, TEST, SHOWN = 3000, 2000, 300


def trained(name: str, folder: Path, data: Tensors, test: Tensors, seed: int) -> Trained:
    """One network, by the recipe of the paper, in small."""
    depth, skip, rate = NETS[name]
    recipe = Recipe(10, 64, lr=rate, nesterov=True, weight_decay=5e-4, seed=seed)
    module = seeded(lambda: ResNet(1, 10, depth=depth, skip=skip), seed)
    return train(module, data, recipe, test=test, folder=folder / name.replace(", ", "_").replace(" ", "_"))


def told(surface: Surface, map_of: Surface, trainings: list[Trained]) -> dict[str, list[float]]:
    """Column -> a number for each network: what the table of the exhibit has."""
    losses = surface.losses
    middle, center = losses.shape[-1] // 2, map_of.values.shape[-1] // 2
    ratios, largest = map_of.of("|λmin/λmax|"), map_of.of("λmax")
    others = ratios.copy()
    others[:, center, center] = np.nan
    return {
        "test accuracy": [one.epochs[-1].test_accuracy for one in trainings],
        "loss at the center": [float(one[middle, middle]) for one in losses],
        "median": [float(np.median(one)) for one in losses],
        "highest": [float(one.max()) for one in losses],
        "|λmin/λmax| at the center": [float(one[center, center]) for one in ratios],
        "largest of the others": [float(np.nanmax(one)) for one in others],
        "λmax at the center": [float(one[center, center]) for one in largest],
    }


def held(numbers: dict[str, list[float]]) -> None:
    """The four statements, each with its numbers; fails where one does not hold."""
    apart = {name: [values[k + 1] / values[k] for k in (0, 2)] for name, values in numbers.items()}
    statements = [
        ("median", "the plane of 56 plain layers lies more than 100 times as high as with skips", 1, 100.0),
        ("largest of the others", "its loss bends downwards more than twice as much", 1, 2.0),
        ("λmax at the center", "its minimum is more than 5 times as sharp", 1, 5.0),
    ]
    broken = []
    for name, text, k, least in statements:
        print(f"{text}: {apart[name][k]:.3g} times ({'holds' if apart[name][k] > least else 'BROKEN'})")
        broken += [text] * (not apart[name][k] > least)
    shallow = {name: apart[name][0] for name, *_ in statements}
    fine = all(shallow[name] < least for name, _, _, least in statements)
    print(f"at 20 layers there is no such gap: {', '.join(f'{x:.3g}' for x in shallow.values())} times "
          f"({'holds' if fine else 'BROKEN'})")  # fmt: skip
    if broken or not fine:
        raise SystemExit(f"does not hold: {'; '.join(broken) or 'no such gap at 20 layers'}")


def main() -> None:
    """Train, measure, draw, and hold the four statements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the four .gz files of Fashion-MNIST")
    parser.add_argument("--out", type=Path, default=Path("skips"), help="folder of what is kept, and of the pictures")
    parser.add_argument("--seed", type=int, default=1, help="of first weights and of the order of images")
    parser.add_argument("--plane", type=int, default=0, help="seed of the directions")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data, test = fashion("train", TRAIN, asked.data), fashion("t10k", TEST, asked.data)
    trainings, times = [], []
    for name in NETS:
        start = time.monotonic()
        trainings.append(trained(name, asked.out / f"seed_{asked.seed}", data, test, asked.seed))
        times.append(time.monotonic() - start)
    size = pl.net.Preprocess(resize=14, crop=(14, 14), channels=1)
    nets = [pl.Net(one.module.eval(), name, size, scores="logits") for name, one in zip(NETS, trainings, strict=True)]
    shown = pl.Data.of((data.inputs[:SHOWN], data.labels[:SHOWN]), pixels="0..1")
    clock = [time.monotonic()]
    with pl.resumable(asked.out / "kept"):
        surface = pl.landscape.plane(nets, shown, points=15, seed=asked.plane)
        clock.append(time.monotonic())
        bends = pl.landscape.convexity(nets, shown, points=3, products=12, seed=asked.plane)
        clock.append(time.monotonic())
    numbers = told(surface, bends, trainings)
    print("| net |", " | ".join(numbers), "|")
    for i, name in enumerate(NETS):
        print(f"| {name} |", " | ".join(f"{values[i]:.4g}" for values in numbers.values()), "|")
    seconds = [*times, *(b - a for a, b in pairwise(clock))]
    print("seconds of each training, the planes, the maps:", ", ".join(f"{one:.0f}" for one in seconds))
    print(*bends.findings, sep="\n")
    for name, result in (("skips", surface), ("bends", bends)):
        result.save(asked.out / f"{name}_{asked.seed}_{asked.plane}.npz")
        for form in ("surface", "contour"):
            pl.draw(result, form=form).save(asked.out / f"{name}_{asked.seed}_{asked.plane}_{form}.png")
    held(numbers)


if __name__ == "__main__":
    main()
