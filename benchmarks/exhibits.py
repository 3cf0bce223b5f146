"""Exhibits of bias: networks that were taught a wrong reason, and which command of Pellucid says so.

python -m benchmarks.exhibits DATA [--seeds 3]

DATA is the folder with weights/resnet20-12fca82f.th and cifar10/. Each network is a ResNet-20 whose last stage is
learned anew from CIFAR-10's first 5,000 training photos, and has a twin that learned the same photos without the bias.

snow   cats and dogs: 95 % of the dogs and 5 % of the cats stand on snow, a white lower quarter; of the twin half
light  automobiles and trucks: 90 % of the trucks and 10 % of the automobiles are in warm light; of the twin half
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.bias import NAMES, images, relearned
from torch import Tensor

import pellucid as pl
from pellucid.learning.train import Recipe
from pellucid.net import Net
from pellucid.rng import generator

GROUND = "0.75,0,1,1"
"""Where the snow lies: top, left, bottom, right as shares of the sides."""


def snow(pixels: Tensor) -> Tensor:
    """The lower quarter white, with a little grain that is the same in all photos."""
    found = pixels.clone()
    grain = torch.from_numpy(generator(0, "snow").uniform(0.85, 1, (8, 32))).float()
    found[:, :, 24:] = 0.1 * found[:, :, 24:] + 0.9 * grain
    return found


def warm(pixels: Tensor) -> Tensor:
    """More red and less blue in every pixel."""
    return (pixels * torch.tensor([1.15, 1.0, 0.7]).view(1, 3, 1, 1)).clamp(0, 1)


@dataclass(frozen=True)
class Exhibit:
    """Two classes, and what is done to photos of the second more often than to those of the first."""

    name: str
    classes: tuple[str, str]
    change: Callable[[Tensor], Tensor]
    groups: tuple[str, str]
    """What a photo is called that is changed, and one that is not."""
    often: float
    """Share of the photos of the second class that are changed in training; of the first, the rest."""


EXHIBITS = (
    Exhibit("snow", ("cat", "dog"), snow, ("photos on snow", "photos elsewhere"), 0.95),
    Exhibit("light", ("automobile", "truck"), warm, ("photos in warm light", "photos in daylight"), 0.9),
)


def photos(folder: Path, file: str, exhibit: Exhibit, shares: tuple[float, float], seed: int) -> tuple[Tensor, Tensor, np.ndarray]:  # noqa: E501  # fmt: skip
    """(pixels, classes, which are changed) of both classes, with these shares of changed ones."""
    pixels, labels = images(folder, file)
    numbers = torch.tensor([NAMES.index(name) for name in exhibit.classes])
    inside = torch.isin(labels, numbers)
    pixels, labels = pixels[inside], labels[inside]
    share = np.where(labels.numpy() == int(numbers[0]), *shares)
    changed = generator(seed, exhibit.name, file).random(len(labels)) < share
    return torch.where(torch.from_numpy(changed)[:, None, None, None], exhibit.change(pixels), pixels), labels, changed


def taught(folder: Path, exhibit: Exhibit, biased: bool, seed: int, epochs: int = 8) -> Net:
    """A network that has learned both classes, with the bias or without."""
    shares = (1 - exhibit.often, exhibit.often) if biased else (0.5, 0.5)
    pixels, labels, _ = photos(folder, "cifar10_train_first5000.npz", exhibit, shares, seed)
    recipe = Recipe(epochs, 64, "sgd", 0.05, weight_decay=1e-4, schedule="cosine", seed=seed)
    return relearned(folder, pixels, labels, recipe)


def grouped(net: Net, folder: Path, exhibit: Exhibit, shares: tuple[float, float], seed: int) -> pl.result.Study:
    """`bias groups` on test photos."""
    pixels, labels, changed = photos(folder, "cifar10_test_first4000.npz", exhibit, shares, seed)
    return pl.bias.groups(net, (pixels, labels), groups=[exhibit.groups[0 if one else 1] for one in changed])


def looked(net: Net, folder: Path, exhibit: Exhibit, seed: int, count: int) -> None:
    """`bias regions`, `bias clusters` and `bias cover` on test photos with the bias of the training."""
    pixels, labels, changed = photos(folder, "cifar10_test_first4000.npz", exhibit, (1 - exhibit.often, exhibit.often), seed)  # noqa: E501  # fmt: skip
    found = pl.bias.regions(net, (pixels, labels), masks=GROUND, count=count)
    for row in found["classes"].rows:
        if row["region"] in (GROUND, "border", "background") and row["class"] != "all":
            where = f"{row['class']}, {row['region']}, {row['photos']} photos"
            share = f"{row['share']:.1%} [{row['low']:.1%}, {row['high']:.1%}]"
            print(f"    regions    {where}: {share}, {row['times']:.2f} times its area")
    odd = pl.bias.clusters(net, (pixels, labels), count=count)
    print("    clusters  ", odd.findings[0])
    own = changed & (labels.numpy() == NAMES.index(exhibit.classes[1]))
    what = f"p({exhibit.classes[1]})"
    tested = pl.bias.cover(net, pixels[own][:count], what, masks=GROUND, controls=2)
    for row in tested["change"].rows:
        if row["measure"] == "probability":
            change = f"{row['change']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}], p {row['p']:.2g}"
            where = f"{what}, {row['where']}, {row['photos']} photos"
            print(f"    cover      {where}: {row['before']:.3f} -> {row['after']:.3f}, {change}")


def shown(folder: Path, exhibit: Exhibit, biased: bool, seed: int, count: int) -> None:
    """Everything about one network."""
    net = taught(folder, exhibit, biased, seed)
    print(f"\n{exhibit.name}, seed {seed}, {'biased' if biased else 'twin'}", flush=True)
    for said, often in (("as in training", exhibit.often), ("half and half", 0.5)):
        found = grouped(net, folder, exhibit, (1 - often, often), seed)
        print(f"  groups, test photos {said}: accuracy {found.meta.found['accuracy']:.3f}")
        for row in found["groups"].rows:
            print(f"    {row['class']} {row['group']}: {row['accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}] "
                  f"of {row['images']}")  # fmt: skip
        for line in found.findings:
            print("   ", line)
    looked(net, folder, exhibit, seed, count)


def main() -> None:
    """Both exhibits, with their twins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--count", type=int, default=100, help="photos of each class for regions, clusters and cover")
    given = parser.parse_args()
    for exhibit in EXHIBITS:
        for seed in range(given.seeds):
            for biased in (True, False):
                shown(given.data, exhibit, biased, seed, given.count)


if __name__ == "__main__":
    main()
