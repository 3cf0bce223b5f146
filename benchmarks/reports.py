"""The report of properties of all methods, on three real networks: `quality report`, resumable, with its time.

python -m benchmarks.reports DATA --resume FOLDER --out FOLDER [--photos 3] [--workers 2] [--methods all]

DATA holds `images-imagenet1000`, `cifar10` and `weights`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from benchmarks.trained import DATA
from PIL import Image

import pellucid as pl


def networks(data: Path, photos: int, out: Path) -> dict[str, tuple[str, str]]:
    """Each by the name under which a worker opens it, with the folder of images that it is asked about."""
    large, small = out / "photos", out / "cifar10"
    for folder in (large, small):
        folder.mkdir(parents=True, exist_ok=True)
    for photo in sorted((data / "images-imagenet1000").glob("*.jpg"))[:: 1000 // photos][:photos]:
        shutil.copy(photo, large)
    with np.load(data / "cifar10/cifar10_test_first4000.npz") as file:
        for i, pixels in enumerate(file["x"][:photos]):
            Image.fromarray(pixels).save(small / f"{i}.png")
    made = Path(__file__).with_name("trained.py")
    return {
        "ResNet-20, CIFAR-10": (f"{made}:resnet20", str(small)),
        "embedded network": ("bundled", str(large)),
        "SqueezeNet v1.0": (f"{made}:squeezenet", str(large)),
    }


def cpu_minutes() -> float:
    """Of this process and of the workers that have ended: what is the same however busy the machine is."""
    for child in multiprocessing.active_children():  # workers that are told to end count once they have
        child.join(10)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used) / 60


def main() -> None:
    """A page and its findings for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--resume", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--methods", default="all")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    os.environ[DATA] = str(asked.data.resolve())
    for name, (net, images) in networks(asked.data, asked.photos, asked.out).items():
        start, cpu = time.perf_counter(), cpu_minutes()
        with ExitStack() as stack:
            stack.enter_context(pl.resumable(asked.resume))
            if asked.workers:
                stack.enter_context(pl.spread(asked.workers))
            found = pl.quality.report(net, images, of=asked.methods)
        pl.draw(found).save(asked.out / f"{name.split(',')[0].replace(' ', '_')}.html")
        took = f"{(time.perf_counter() - start) / 60:.1f} minutes, {cpu_minutes() - cpu:.1f} of CPU"
        print(f"\n## {name}: {asked.photos} images, {took}\n")
        print(*(f"- {one}" for one in found.findings), sep="\n")
        for refused in found.meta.found["refused"]:
            print(f"- refused: {refused}")
        columns = ("exactness", "consistency", "completeness", "universality", "deletion", "insertion", "road",
                   "random weights")  # fmt: skip
        print(f"\n| method | {' | '.join(columns)} |\n|---{'|---' * len(columns)}|")
        for row in found["properties"].rows:
            cells = ["–" if row[one] is None else f"{row[one]:.3f}" for one in columns]
            print(f"| `{row['method']}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
