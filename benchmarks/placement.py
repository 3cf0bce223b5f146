"""Where class maps lie: theory, stretching and measured places against real boxes, and against the pixels that count.

    python benchmarks/placement.py DATA [--images N] [--networks bundled,squeezenet,resnet56]

DATA holds `coco128-train` (photos, masks, imagenet_pairs.json) and `weights`. For each network: the share
of the positive part of Grad-CAM that lies inside the mask of the class, how often its peak does (pointing game), and by
how many pixels each way of placing cells misses the centroid of squared gradients in photos that were not used to
measure it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import pellucid as pl
from pellucid.geometry import Placement, View
from pellucid.images import read
from pellucid.net import Net
from pellucid.net.effective import _middle, effective
from pellucid.saliency.layers import at_pixels

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def ways(net: Net, layer: str, size: tuple[int, int]) -> tuple[dict[str, Placement], str]:
    """The three placements of a layer, and what the measurement says."""
    row = net.layers(size)[layer]
    started = time.perf_counter()
    found = effective(net, layer, size)
    took = time.perf_counter() - started
    field = row.placement or Placement.stretched(*row.shape[1:], *size)
    told = "/".join(f"{off:+.1f} ± {err:.1f}" for off, err in zip(found.offset, found.error, strict=True))
    return {
        "field": field,
        "stretch": Placement.stretched(*row.shape[1:], *size),
        "effective": found.placement,
    }, f"{told} px in {took:.1f} s"


def asked(data: Path) -> list[tuple[Path, np.ndarray, int]]:
    """(photo, mask of the class, number of the class) of every pair."""
    folder = data / "coco128-train"
    lines = (folder / "classes.yaml").read_text().split("classes:")[1].splitlines()
    numbers = {name.strip(): int(number) for number, _, name in (line.partition(":") for line in lines) if name}
    found = []
    for pair in json.loads((folder / "imagenet_pairs.json").read_text()):
        photo = folder / "images" / pair["f"]
        masked = (folder / "masks" / pair["f"]).with_suffix(".png")
        if masked.exists() and photo.exists():
            found.append((photo, np.asarray(Image.open(masked)) == numbers[pair["cls"]], pair["idx"]))
    return found


def seen_mask(mask: np.ndarray, view: View) -> np.ndarray:
    """The mask as the network sees the photo."""
    rows, columns = (
        np.rint([view.to_original(i, i)[axis] for i in range(view.size[axis])]).astype(int) for axis in (0, 1)
    )
    shown = mask[rows.clip(0, mask.shape[0] - 1)][:, columns.clip(0, mask.shape[1] - 1)]
    return np.asarray(shown)


def hits(net: Net, data: Path, limit: int) -> None:
    """Energy in the mask and pointing game of Grad-CAM, for the three placements of the same maps."""
    scores: dict[str, list[tuple[float, float]]] = {}
    for photo, mask, target in asked(data)[:limit]:
        seen = net.prepare(read([str(photo)]))
        inside = seen_mask(mask, seen.views[0])
        if not 0.01 < inside.mean() < 0.6:
            continue
        heat = pl.attribution.grad_cam(net, seen, target)
        size = (seen.pixels.shape[-2], seen.pixels.shape[-1])
        for name, placement in ways(net, heat.meta.layer or "", size)[0].items():
            values = at_pixels(torch.from_numpy(heat.values).double().clamp(min=0), placement, size)[0].numpy()
            if values.sum() > 0:
                peak = np.unravel_index(values.argmax(), values.shape)
                scores.setdefault(name, []).append((values[inside].sum() / values.sum(), float(inside[peak])))
    field = np.array(scores["field"])[:, 0]
    for name, rows in scores.items():
        energy, pointing = np.mean(rows, axis=0)
        more = np.array(rows)[:, 0] - field
        print(
            f"  {name:10s} energy in the mask {energy:.4f} ({more.mean():+.4f} ± {more.std() / np.sqrt(len(more)):.4f} "
            f"against field), peak inside {pointing:.3f}, {len(rows)} photos",
            flush=True,
        )


def misses(net: Net, layers: tuple[str, ...], photos: torch.Tensor) -> None:
    """By how many pixels each placement misses the centroid of squared gradients, over cells and photos."""
    size = (photos.shape[-2], photos.shape[-1])
    for layer in layers:
        placed, told = ways(net, layer, size)
        rows, columns = net.layer(layer, size).shape[1:]
        cells = [(y, x) for y in _middle(rows) for x in _middle(columns)]
        off: dict[str, list[tuple[float, float]]] = {name: [] for name in placed}
        for k, one in enumerate(photos):
            cell = cells[k * 5 % len(cells)]
            with torch.enable_grad():
                run = net.run(one[None], layers=[layer], grad="pixels", stop=True)
                assert run.pixels is not None
                signs = torch.randint(0, 2, run[layer].shape[1:2], generator=torch.Generator().manual_seed(k)) * 2 - 1
                (slope,) = torch.autograd.grad((run[layer][0, :, cell[0], cell[1]] * signs).sum(), run.pixels)
            mass = slope[0].double().square().sum(0)
            if not mass.sum() > 0:
                continue
            at = [float(mass.sum(1 - axis) @ torch.arange(size[axis]).double() / mass.sum()) for axis in (0, 1)]
            for name, placement in placed.items():
                y, x = (center[i] for center, i in zip(placement.centers(rows, columns), cell, strict=True))
                off[name].append((y - at[0], x - at[1]))
        told_each = ", ".join(
            f"{name} {np.mean(one, 0)[0]:+.1f}/{np.mean(one, 0)[1]:+.1f}" for name, one in off.items()
        )
        print(f"  {layer}: measured {told}; bias on {len(photos)} photos: {told_each} px", flush=True)


def squeezenet(weights: Path) -> Net:
    """SqueezeNet v1.0, as the tests build it."""
    from tests.squeezenet import squeezenet as make

    return make(weights)


def resnet(weights: Path) -> Net:
    """A CIFAR ResNet-56, as the tests build it."""
    from tests.net.test_load import cifar_resnet

    return pl.load(cifar_resnet(9), weights=weights, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), size=32)


def cifar(data: Path) -> torch.Tensor:
    """Photos (N, 3, 32, 32) in 0..1."""
    held = np.load(data / "cifar10" / "cifar10_test_first4000.npz")
    pixels = next(held[key] for key in held.files if held[key].ndim == 4)[:64]
    turned = pixels if pixels.shape[1] == 3 else pixels.transpose(0, 3, 1, 2)
    return torch.from_numpy(turned).float() / 255


def planted(net: Net, layers: tuple[str, ...], photos: torch.Tensor, count: int = 60) -> None:
    """By how many pixels each placement misses a patch of a photo that is planted into another: the centroid of what
    changes in the layer, over its channels.
    """
    size, side = (photos.shape[-2], photos.shape[-1]), 32
    chance = np.random.default_rng(0)
    off: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for k in range(count):
        ground, other = photos[k % len(photos)], photos[(k * 7 + 3) % len(photos)]
        y, x = (int(chance.integers(length // 4, 3 * length // 4 - side)) for length in size)
        changed = ground.clone()
        changed[:, y : y + side, x : x + side] = other[:, y : y + side, x : x + side]
        with torch.no_grad():
            run = net.run(torch.stack([ground, changed]), layers=layers)
        for layer in layers:
            moved = (run[layer][1] - run[layer][0]).double().square().sum(0)
            for name, placement in ways(net, layer, size)[0].items():
                at = [
                    float(moved.sum(1 - axis) @ torch.from_numpy(center) / moved.sum())
                    for axis, center in enumerate(placement.centers(*moved.shape))
                ]
                off.setdefault((layer, name), []).append((at[0] - y - (side - 1) / 2, at[1] - x - (side - 1) / 2))
    for (layer, name), one in off.items():
        mean, error = np.mean(one, 0), np.std(one, 0) / np.sqrt(len(one))
        print(
            f"  planted in {layer}: {name} {mean[0]:+.1f} ± {error[0]:.1f} / {mean[1]:+.1f} ± {error[1]:.1f} px",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--networks", default="bundled,squeezenet,resnet56")
    given = parser.parse_args()
    weights = given.data / "weights"
    makers: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
        "bundled": (lambda: pl.load("bundled"), ("act2", "blocks.4", "blocks.2")),
        "squeezenet": (lambda: squeezenet(weights / "squeezenet_v1.0_decoded.npz"), ("relu10", "fire9", "fire5")),
        "resnet56": (lambda: resnet(weights / "resnet56-4bfd9763.th"), ("layer3", "layer2")),
    }
    for name in given.networks.split(","):
        make, layers = makers[name]
        net = make()
        print(name, flush=True)
        if name.startswith("resnet"):
            misses(net, layers, cifar(given.data)[: given.images])
            continue
        photos = net.prepare(read([str(photo) for photo, *_ in asked(given.data)[::2]])).pixels
        planted(net, layers, photos)
        misses(net, layers, photos[: given.images])
        hits(net, given.data, given.images)


if __name__ == "__main__":
    main()
