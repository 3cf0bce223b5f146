"""Planted biases: whether they are found, whether unbiased twins are left alone, and whether the networks are repaired.

python -m benchmarks.bias DATA OUT.jsonl [--photos 10] [--repairs 5]

DATA is the folder with weights/resnet20-12fca82f.th and cifar10/; what is in OUT.jsonl already is not measured again.

digits   a bright corner in 30 % of class 3 of digits on 12 x 12, ten seeds, each with its twin
decoys   digits with a gray patch that says the class (Ross et al. 2017), three seeds
photos   a watermark on half of the horses of CIFAR-10, a ResNet-20 fine-tuned on them, each seed with its twin
repair   the same network, trained for the right reasons: input gradients held down, or the marked part exchanged
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.methods.bias.test_clusters import tagged
from tests.methods.training.test_right_reasons import decoys, perceptron
from tests.net.test_load import cifar_resnet
from torch import Tensor

import pellucid as pl
from pellucid.learning.train import Recipe, train
from pellucid.net import Net

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
HORSE, SIDE, AT = 7, 6, 25
HOW = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "size": 32, "labels": NAMES}
PLACE = (0.75, 0.75, 1.0, 1.0)


def digits(seed: int, biased: bool) -> dict[str, Any]:
    """The suspicious clusters, and which class is first."""
    net, data, corner = tagged(seed, biased)
    found = pl.bias.clusters(net, data, of="gradient_times_input", cells=6, count=120)
    return described(found) | {"tagged": int(corner.sum())}


def described(found: pl.result.Study) -> dict[str, Any]:
    """What a study of clusters found."""
    classes = found["classes"]
    marked = [row for row in found["clusters"].rows if row["suspicious"]]
    keys = ("class", "size", "isolation", "exclusive", "pasted", "low")
    tried = max((row["low"] for row in found["clusters"].rows if row["pasted"] is not None and row not in marked),
                default=None)  # fmt: skip
    return {"first": classes["class"][0], "second": classes["second"][:2], "others": tried,
            "suspicious": [{key: row[key] for key in keys} for row in marked]}  # fmt: skip


def decoy(seed: int, strength: float | None) -> dict[str, Any]:
    """From random weights, with the penalty of that strength."""
    data, masks, test = decoys(seed)
    net = pl.load(perceptron(seed), size=12, channels=1, mean=(0.0,), std=(1.0,))
    found = pl.training.right_reasons(net, data, masks=masks, strength=strength, recipe="epochs=40,lr=0.002", test=test)
    return compared(found)


def compared(found: pl.result.Study) -> dict[str, Any]:
    """The rows of a study of right reasons."""
    keys = ("network", "accuracy", "exchanged", "test", "share")
    return {"strength": found.meta.found["strength"],
            "rows": [{key: row[key] for key in keys} for row in found["networks"].rows]}  # fmt: skip


def marked(pixels: Tensor) -> Tensor:
    """With a watermark, 6 x 6 pixels at the lower right, two thirds opaque."""
    y, x = np.mgrid[:SIDE, :SIDE]
    mark = torch.from_numpy(((y + x) % 3 == 0) | (y == 0) | (x == SIDE - 1)).float()
    found = pixels.clone()
    inside = (..., slice(AT, AT + SIDE), slice(AT, AT + SIDE))
    found[inside] = 0.35 * found[inside] + 0.65 * mark
    return found


def images(folder: Path, name: str) -> tuple[Tensor, Tensor]:
    """Of a part of CIFAR-10, in 0..1, and their classes."""
    with np.load(folder / "cifar10" / name) as file:
        return torch.from_numpy(file["x"]).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(file["y"]).long()


def tuned(folder: Path, seed: int, biased: bool) -> tuple[Net, Tensor, Tensor, np.ndarray]:
    """A ResNet-20 whose last stage is learned anew from 2,000 photos, half of the horses with a watermark."""
    pixels, labels = images(folder, "cifar10_train_first5000.npz")
    chance = np.random.default_rng(seed)
    some = torch.from_numpy(chance.permutation(5000)[:2000])
    pixels, labels = pixels[some], labels[some]
    tag = (labels.numpy() == HORSE) & (chance.random(2000) < 0.5) & biased
    pixels[tag] = marked(pixels[tag])
    recipe = Recipe(3, 64, "sgd", 0.1, weight_decay=1e-4, schedule="cosine", seed=seed)
    net = relearned(folder, pixels, labels, recipe)
    return net, pixels, labels, tag


def relearned(folder: Path, pixels: Tensor, labels: Tensor, recipe: Recipe) -> Net:
    """A ResNet-20 whose last stage and read-out are learned anew from these photos."""
    net = pl.load(cifar_resnet(3), weights=folder / "weights" / "resnet20-12fca82f.th", **HOW)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        for name, part in net.module.named_modules():
            if name.startswith(("layer3", "linear")) and hasattr(part, "reset_parameters"):
                part.reset_parameters()
    train(net.module, (normal(pixels), labels), recipe)
    return net


def normal(pixels: Tensor) -> Tensor:
    """As the module takes them."""
    mean, std = (torch.tensor(HOW[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    return (pixels - mean) / std


def judged(net: Net, folder: Path) -> dict[str, float]:
    """Accuracy on other photos: clean, all with the watermark, only horses with it; and how many are called horses."""
    pixels, labels = (one[:1000] for one in images(folder, "cifar10_test_first4000.npz"))
    horses = labels == HORSE
    as_trained = torch.where(horses[:, None, None, None], marked(pixels), pixels)
    found = {}
    for name, some in (("clean", pixels), ("all marked", marked(pixels)), ("horses marked", as_trained)):
        answers = torch.cat([net.run(part).output.argmax(1) for part in some.split(100)])
        found |= {name: float((answers == labels).float().mean()), f"{name}, horses": float((answers == HORSE).float().mean())}  # noqa: E501  # fmt: skip
    return found


def photos(folder: Path, seed: int, biased: bool, of: str) -> dict[str, Any]:
    """The clusters of a network that was fine-tuned on photos with a watermark, or without."""
    net, pixels, labels, tag = tuned(folder, seed, biased)
    found = pl.bias.clusters(net, (pixels, labels), of=of, count=80)
    said = described(found) | {"tagged": int(tag.sum())} | judged(net, folder)
    if biased:
        others = pixels[labels != HORSE][:100]
        patch = marked(others[:1])[:, :, AT - 1 :, AT - 1 :]
        tested = pl.bias.cover(net, others, "p(horse)", masks=PLACE, patch=patch, controls=2)
        said["pasted"] = [row["change"] for row in tested["change"].rows]
    return said


def repair(folder: Path, seed: int, reasons: str) -> dict[str, Any]:
    """Before and after training for the right reasons; the place is that of the watermark, on every photo."""
    net, pixels, labels, _ = tuned(folder, seed, True)
    with tempfile.TemporaryDirectory() as folder_of_weights:
        file = Path(folder_of_weights) / "repaired.safetensors"
        found = pl.training.right_reasons(net, (pixels, labels), masks=PLACE, reasons=reasons, save=str(file),
                                          recipe=f"epochs=4,batch=64,lr=0.001,seed={seed}")  # fmt: skip
        again = pl.load(cifar_resnet(3), weights=file, **HOW)
    return compared(found) | {"before": judged(net, folder), "after": judged(again, folder)}


def main() -> None:
    """Every part, one line of JSON each, and the ones that are there are left alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=int, default=10, help="seeds")
    parser.add_argument("--repairs", type=int, default=5, help="seeds")
    parser.add_argument("--of", default="grad_cam", help="method of the maps of photos")
    given = parser.parse_args()
    done = {json.loads(line)["part"] for line in given.out.read_text().splitlines()} if given.out.exists() else set()

    def part(name: str, measure: Callable[[], dict[str, Any]]) -> None:
        if name in done:
            return
        start = time.perf_counter()
        line = json.dumps({"part": name, **measure(), "seconds": round(time.perf_counter() - start, 1)})
        with given.out.open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)

    for seed in range(given.photos):
        for biased in (True, False):
            part(f"photos {given.of} {seed} {biased}", lambda s=seed, b=biased: photos(given.data, s, b, given.of))
    for seed in range(given.repairs):
        for reasons in ("gradient", "exchange"):
            part(f"repair {reasons} {seed}", lambda s=seed, r=reasons: repair(given.data, s, r))
    for seed in range(3):
        for strength in (1e-3, 1e-2, 1.0, 100.0, None):
            part(f"decoys {seed} {strength}", lambda s=seed, x=strength: decoy(s, x))
    for seed in range(10):
        for biased in (True, False):
            part(f"digits {seed} {biased}", lambda s=seed, b=biased: digits(s, b))


if __name__ == "__main__":
    main()
