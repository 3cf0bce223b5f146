"""What would change an answer: the least change of pixels, and exchanges of regions between two images.

Commands of `benchmarks/examples.py`.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.trained import DATA, resnet20
from tests.methods.training.networks import c4k, cifar
from tests.squeezenet import squeezenet

import pellucid as pl
from pellucid.data import Data
from pellucid.images import Images
from pellucid.index import Index
from pellucid.net import Net
from pellucid.saliency.exchange import Cells, at_random, exchanged


def counterfactuals(data: str, folder: str, count: int = 100) -> None:
    """Every tenth photo by default, and as many test images of CIFAR-10 beside the 5,000 training images."""
    place, here = Path(data), Path(folder)
    here.mkdir(parents=True, exist_ok=True)
    net, other = pl.load("bundled"), squeezenet(place / "weights/squeezenet_v1.0_decoded.npz")
    files = sorted((place / "images-imagenet1000").glob("*.jpg"))
    for file in files if not (here / "photos.index").exists() else ():  # a folder for each class, by its WordNet id
        (here / "photos" / file.name.split("_")[0]).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, here / "photos" / file.name.split("_")[0])
    index = _indexed(net, here / "photos", here / "photos.index", "act2")
    some = {file.name: file for file in files[:: max(len(files) // count, 1)][:count]}
    rows = _changed(
        net, {name: partial(pl.read, file) for name, file in some.items()}, other, index, here / "photos.jsonl"
    )
    _figures("photos, the bundled network; the other is SqueezeNet", rows)

    def shared(path: str) -> Path:
        return place.parent / path

    twins = {name: cifar(shared, name) for name in ("resnet20", "resnet56")}
    if not (here / "train.npz").exists():
        with np.load(place / "cifar10/cifar10_train_first5000.npz") as file:
            np.savez(here / "train.npz", images=file["x"], labels=file["y"].astype(np.int64))
    index = _indexed(twins["resnet20"], here / "train.npz", here / "train.index", "layer3")
    tests = c4k(shared)
    images = {str(i): partial(tests.image, i) for i in range(count)}
    rows = _changed(twins["resnet20"], images, twins["resnet56"], index, here / "cifar.jsonl")
    _figures("CIFAR-10, ResNet-20; the other is ResNet-56, the real images are 5,000 that it was trained on", rows)


def _indexed(net: Net, images: Path, store: Path, layer: str) -> Index:
    return pl.units.index(net, images, store=store, layers=(layer,), embed=(layer,), count=1)


def _changed(
    net: Net, images: Mapping[str, Callable[[], Images]], other: Net, index: Index, file: Path
) -> list[dict[str, float]]:
    """A line for each image: the facts, whether the saved file is answered with the class, and what it took."""
    done = {row["image"]: row for row in map(json.loads, file.read_text().splitlines())} if file.exists() else {}
    for name, image in images.items():
        if name in done:
            continue
        second = net.predict(image(), 2).ranked[0][1].label
        start = time.process_time()
        found = pl.examples.counterfactual(net, image(), networks=[other], index=index)
        took = time.process_time() - start
        with tempfile.TemporaryDirectory() as folder:
            (saved,) = found.write(Path(folder) / "found.png")
            first = net.predict(pl.read(str(saved)), 1).ranked[0][0]
        row = {
            **{key.replace(other.name, "other"): values[0] for key, values in found.facts.items()},
            "valid": float(first.label == second and (first.probability or 0) >= 0.85),
            "adversarial": float(found.trust[0].adversarial), "seconds": took,
            "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }  # fmt: skip
        done[name] = {"image": name, **row}
        with file.open("a") as lines:
            print(json.dumps(done[name]), file=lines)
        print(f"{len(done)} of {len(images)}: {found.names[0]}", file=sys.stderr, flush=True)
    return [done[name] for name in images]


def _figures(title: str, rows: list[dict[str, float]]) -> None:
    """Shares, and the least, the median and the most."""
    print(f"{title}: {len(rows)} images")
    every = {key: np.array([row[key] for row in rows]) for key in rows[0] if key != "image"}
    likely = every["share of real images as far"]
    shares = {"valid in the saved 8 bits": every["valid"] > 0, "marked as adversarial": every["adversarial"] > 0,
              "the other gives the class .5 or more": every["other says"] >= 0.5,
              "… before": every["other said"] >= 0.5,
              "farther from the class than 95 % of real images": (likely < 0.05)[np.isfinite(likely)]}  # fmt: skip
    for name, hits in shares.items():
        print(f"  {name}: {hits.sum()} of {len(hits)}")
    for key in ("probability", "mean change of 255", "largest change of 255", "changed pixels", "steps", "other says",
                "other said", "distance to the class", "distance before", "share of real images as far", "seconds",
                "MB"):  # fmt: skip
        values = every[key][np.isfinite(every[key])]
        low, middle, high = np.quantile(values, [0, 0.5, 1])
        print(f"  {key}: {low:.4g} to {high:.4g}, median {middle:.4g}, mean {values.mean():.4g}", flush=True)


def exchange(count: int = 57) -> None:
    """Pairs of images that R20 answers right, of different classes, drawn at random: exchanges of cells of layer3."""
    net = resnet20()
    with np.load(Path(os.environ[DATA]) / "cifar10/cifar10_test_first4000.npz") as file:
        pixels, labels = file["x"], file["y"].astype(np.int64)
    said = np.concatenate(
        [batch.run.output.detach().argmax(1).numpy() for batch in net.over(Data.of((pixels, labels)))]
    )
    right, chance = np.flatnonzero(said == labels), np.random.default_rng(0)
    weight, bias = (one.detach().numpy().astype(float) for one in (net.module.linear.weight, net.module.linear.bias))
    found: dict[str, list[float]] = {}
    while len(found.get("closed", [])) < count:
        one, two = chance.choice(right, 2, replace=False).tolist()
        classes = int(labels[one]), int(labels[two])
        if classes[0] == classes[1]:
            continue
        cells = Cells.of(net, *(net.prepare(Images.of(pixels[i])).pixels for i in (one, two)), "layer3")
        apart = weight[classes[1]] - weight[classes[0]]
        own, other = (apart @ part.flatten(1).numpy() for part in (cells.own, cells.other))
        margin = own.mean() + bias[classes[1]] - bias[classes[0]]
        best = np.sort(other.max() - own)[::-1].cumsum() / cells.many
        found.setdefault("closed", []).append(int(np.argmax(margin + best > 0)) + 1)
        for repeat in (True, False):
            name = "repeated" if repeat else "each once"
            made = exchanged(cells, classes, repeat=repeat, tries=5000, what=f"{one} and {two}")
            found.setdefault(f"greedy, {name}", []).append(len(made.cells) if made.reached else cells.many + 1)
            drawn = at_random(cells, classes[1], repeat=repeat, draws=20, seed=0, what=f"{one} and {two}")
            found.setdefault(f"at random, {name}", []).append(float(np.median(drawn)))
    for name, values in found.items():
        low, middle, high = np.percentile(values, [25, 50, 75])
        least = np.mean(np.array(values) >= np.array(found["closed"]))
        print(f"{name}: median {middle:g}, quartiles {low:g} to {high:g}; no fewer than the closed form in {least:.0%}")
