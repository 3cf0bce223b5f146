"""Which method finds the thing: mosaics, the pointing game, energy and boxes of all methods, and where class maps lie.

    python benchmarks/localization.py DATA --resume FOLDER [--methods all] [--mosaics 300] [--images N] [--estimate 20]
        [--parts mosaics,things,placings]

DATA holds `images-imagenet1000` (a photo of each class) and `coco128-train` (photos, masks, imagenet_pairs.json).
Killed and started again with the same FOLDER, it goes on where it was. `--estimate` asks each method for one map, at
most so many seconds, and says how long all of it would take here.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.located import Located
from pellucid.evaluation.regions import peak
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study

PLACINGS = ("stretch", "field", "effective")


def markdown(study: Study, name: str, columns: Sequence[str]) -> str:
    """A table of a study; its first number with its interval."""
    lines = [f"| method | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for row in study.tables[name].rows:
        called = f"*{row['method']}*" if row["baseline"] else f"`{row['method']}`"
        cells = ["–" if row[one] is None else f"{row[one]:.3f}" for one in columns]
        cells[0] += f" ({row['low']:.3f}–{row['high']:.3f})"
        lines.append(f"| {called} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(study: Study) -> None:
    """What was found, and how."""
    for one in study.findings:
        print(f"- {one}")
    print(f"\nProtocol: {study.meta.found['protocol']}.")
    for one in study.meta.found["refused"]:
        print(f"Refused: {one}.")


def mosaics(net: Net, photos: ImageSet, methods: str, count: int, size: str) -> None:
    """The grid pointing game."""
    study = pl.localization.grid_pointing(net, photos, of=methods, count=count, size=size)
    print(f"\n## Grid pointing, {count} mosaics of {study.meta.found['photos']} photos, {size}\n")
    print(markdown(study, "ranking", ["localization"]))
    shown(study)


def things(net: Net, photos: ImageSet, truth: Truth, pairs: ClassPairs, methods: str) -> None:
    """The pointing game, energy and boxes, of the same maps."""
    study = pl.localization.localize(net, photos, boxes=truth, classes=pairs, of=methods)
    print(f"\n## Pointing game, energy and boxes: {study.meta.found['cases']} things\n")
    for name, columns in (
        ("pointing", ["hits", "class_mean", "difficult"]),
        ("energy", ["energy", "class_mean", "difficult"]),
        ("boxes", ["box_accuracy", "iou_0.3", "iou_0.5", "iou_0.7", "threshold"]),
    ):
        print(f"{markdown(study, name, columns)}\n")
    shown(study)


def placings(net: Net, photos: ImageSet, truth: Truth, pairs: ClassPairs, methods: Sequence[str]) -> None:
    """The same maps with their cells stretched over the image, where they see by their fields, and where measured."""
    print("\n## Where cells are placed\n\n| method | placed | hits | energy | IoU .5 | moves the peak by, pixels |")
    print("|---|---|---|---|---|---|")
    cases = Located(net, photos, truth, pairs)
    for name in methods:
        each = [f"{name}:placement={one}" for one in PLACINGS]
        study = pl.localization.localize(net, photos, boxes=truth, classes=pairs, of=each)
        rows = {
            part: {row["method"]: row for row in study.tables[part].rows} for part in ("pointing", "energy", "boxes")
        }
        peaks = np.array([peaks_of(net, cases, one) for one in Explainers.of(each).each])
        away = np.hypot(*(peaks - peaks[:1]).transpose(2, 0, 1)).mean(1)
        for one, moved in zip(each, away, strict=True):
            hits, energy, box = (rows[part][one] for part in ("pointing", "energy", "boxes"))
            cells = [f"`{name}`", one.rpartition("=")[2]]
            for row, key in ((hits, "hits"), (energy, "energy")):
                cells.append(f"{row[key]:.3f} ({row['low']:.3f}–{row['high']:.3f})")
            print(f"| {' | '.join([*cells, '{:.3f}'.format(box['iou_0.5']), f'{moved:.1f}'])} |")


def peaks_of(net: Net, cases: Located, explainer: object) -> list[tuple[int, int]]:
    """Where the largest value of each map lies, in pixels of the network's input."""
    heats = [explainer.heat(net, cases[i].image, cases[i].target, 0) for i in range(len(cases))]  # type: ignore[attr-defined]
    return [peak(heat, 0, str(i)) for i, heat in enumerate(heats)]


def estimate(net: Net, photos: ImageSet, methods: str, count: int, things: int, longest: int) -> None:
    """Seconds of one map of each method, and what all would take; a mosaic of twice the sides counts as four."""
    total, long = 0.0, []
    print("| method | s for a photo |\n|---|---|")
    one = net.prepare(photos.item(0)[0])
    for explainer in Explainers.of(methods).each:
        start = time.perf_counter()
        signal.alarm(longest)
        try:
            explainer.heat(net, one, pl.target.Logit(340), 0)
            took = time.perf_counter() - start
            total += took
            print(f"| `{explainer.name}` | {took:.2f} |", flush=True)
        except (PellucidError, TimeoutError) as error:
            if time.perf_counter() - start < longest - 1:
                print(f"| `{explainer.name}` | {error} |", flush=True)
            else:
                long.append(explainer.name)
        finally:
            signal.alarm(0)
    print(f"\nOver {longest} s each: {', '.join(long) or 'none'}.")
    hours = total * (things + 4 * count) / 3600
    print(
        f"{count} mosaics and {things} things by the others: {hours:.1f} hours of this thread, besides the baselines."
    )


def _stop(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    """Print all of it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--resume", default="")
    parser.add_argument("--methods", default="all")
    parser.add_argument("--placed", default="grad_cam,hires_cam,layer_cam,x_grad_cam,grad_cam_plus_plus")
    parser.add_argument("--mosaics", type=int, default=300)
    parser.add_argument("--size", default="double", choices=("double", "input"))
    parser.add_argument("--parts", default="mosaics,things,placings")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--net", default="bundled")
    parser.add_argument("--estimate", type=int, metavar="SECONDS", help="at most so many for each method")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    net, coco = pl.load(asked.net), asked.data / "coco128-train"
    photos = ImageSet.of(asked.data / "images-imagenet1000").subset(asked.images)
    scenes = ImageSet.of(coco / "images").subset(asked.images)
    truth, pairs = Truth.of(coco / "masks"), ClassPairs.of(coco / "imagenet_pairs.json")
    if asked.estimate:
        signal.signal(signal.SIGALRM, _stop)
        estimate(net, photos, asked.methods, asked.mosaics, len(Located(net, scenes, truth, pairs)), asked.estimate)
        return
    with pl.resumable(asked.resume) if asked.resume else nullcontext():
        parts = asked.parts.split(",")
        if "mosaics" in parts:
            mosaics(net, photos, asked.methods, asked.mosaics, asked.size)
        if "things" in parts:
            things(net, scenes, truth, pairs, asked.methods)
        if "placings" in parts:
            placings(net, scenes, truth, pairs, asked.placed.split(","))


if __name__ == "__main__":
    main()
