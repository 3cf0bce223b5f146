"""Methods of the chapter on a ResNet-50 at 224 pixels, again and again: `python -m benchmarks.examples loop PHOTOS`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.test_real_size import real, resident

import pellucid as pl
from pellucid.images import Images
from pellucid.index import Index

MEMORY = 60
"""Photos of the index, in three classes that mean nothing: here time and memory count alone."""


def run(photos: str, calls: int) -> None:
    """Seconds and growth of the process for each method, each call about another photo."""
    files = sorted(one for one in Path(photos).rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png"))
    pixels = np.stack([np.asarray(Image.open(one).convert("RGB").resize((256, 256))) for one in files[:MEMORY]])
    net = real("resnet50")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.savez(folder / "photos.npz", images=pixels, labels=np.arange(MEMORY) % 3)
        start = time.process_time()
        pl.units.index(net, folder / "photos.npz", store=folder / "x.index", count=8, embed=("layer3", "layer4"))
        print(f"ResNet-50, an index of {MEMORY} photos: {time.process_time() - start:.0f} s of processors", flush=True)
        index = Index.of(str(folder / "x.index")).with_net(net)
        others = [pl.Images.of(str(one)) for one in files[MEMORY : MEMORY + calls]]
        ways: dict[str, Callable[[Images], Any]] = {
            "nearest": lambda one: pl.examples.nearest(index, one),
            "influence": lambda one: pl.examples.influence(index, one),
            "influence, TRAK": lambda one: pl.examples.influence(index, one, variant="trak"),
            "scores": lambda one: pl.examples.scores(index, repeats=1),
            "mislabeled": lambda one: pl.examples.mislabeled(index, count=10, noise=0.0),
            "counterfactual": lambda one: pl.examples.counterfactual(net, one, steps=10),
        }
        print("| method | first call | later calls, median s of processors | memory after 2, half and all calls |")
        print("|---|---|---|---|")
        for name, way in ways.items():
            took, held = list[float](), list[int]()
            for one in others:
                start = time.process_time()
                way(one)
                took.append(time.process_time() - start)
                held.append(resident())
            told = ", ".join(f"{held[k] / 2**20:.0f}" for k in (1, len(held) // 2, -1))
            print(f"| {name} | {took[0]:.1f} s | {np.median(took[1:]):.1f} | {told} MB |", flush=True)
