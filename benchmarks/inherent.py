"""Networks that are interpretable by how they are built: the figures that their algebra and their papers promise.

python -m benchmarks.inherent infogan [STEPS] [SEEDS]   digits: the bound, codes, matched accuracy beside k-means
python -m benchmarks.inherent monotone                  tanh 8(x − ½): rectifiers alone, mirrored ones; violations
python -m benchmarks.inherent shrinkage DATA            CIFAR-10: the PSNR over the knob; Haar against wavelets
python -m benchmarks.inherent size DATA                 bundled network, real photos: every method, time and memory
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import pellucid as pl
from pellucid.interpretable import SoftAutoencoder, bounded, monotone, psnr, sampled_violations
from pellucid.interpretable.infogan import matched, trained
from pellucid.interpretable.restoring import Photos, knobbed, learned
from pellucid.learning.networks import seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe
from pellucid.rng import generator
from pellucid.statistics import k_means

SAID = {
    # animal, furry, eaten, of metal
    "n01984695": "1010", "n02106662": "1100", "n02129165": "1100", "n02999410": "0001", "n03404251": "0100",
    "n03902125": "0001", "n04507155": "0000", "n04560804": "0000", "n07695742": "0010", "n07749582": "0010",
}  # fmt: skip
"""Of ten classes of photos: what is true of each."""
KNOBS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


def infogan(steps: int = 6000, seeds: int = 3) -> None:
    """Seeds are chosen among by what the critic's categories say of real images, which knows no labels."""
    task = digits(1500)
    images, labels = task.train.inputs, task.train.labels.numpy()
    share = matched(
        k_means(images.flatten(1).double().numpy(), 10, [generator(0, "k-means", i) for i in range(10)]), labels
    )[0]
    print(f"digits: {len(images)} images, {steps} steps; k-means {share:.3f}; ln 10 = {np.log(10):.3f}", flush=True)
    for seed in range(seeds):
        began, cpu = time.perf_counter(), time.process_time()
        made = trained(images, 10, steps=steps, seed=seed)
        p = made.read(images)[0]
        own = matched(p.argmax(1).numpy(), labels)[0]
        print(f"seed {seed}: bound {made.bounds[-5:].mean():.3f}, codes {made.correlation().round(3)}, confidence "
              f"{made.confidence(images):.3f}, matched {own:.3f}, {time.perf_counter() - began:.0f} s, "
              f"of the processor {time.process_time() - cpu:.0f} s", flush=True)  # fmt: skip


def fitted(mirrored: bool, steps: int) -> tuple[float, torch.nn.Sequential]:
    """RMSE of tanh 8 (x − ½) on 0..1, and the network."""
    x = torch.linspace(0, 1, 100)[:, None]
    y = (8 * (x - 0.5)).tanh()
    module = seeded(lambda: monotone(1, 1, hidden=32, depth=2, mirrored=mirrored), 1)
    optimizer = Recipe(optimizer="adam", lr=0.05).made(module)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        loss = (module(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float((module(x) - y).detach().square().mean().sqrt()), module


def rising(steps: int = 3000) -> None:
    """The best convex rising function misses by .2429."""
    for mirrored in (False, True):
        error, module = fitted(mirrored, steps)
        edges = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
        every = torch.ones(1, dtype=torch.bool)
        bounds = bounded(module, edges[:-1], edges[1:]).violations(every)
        falls = sampled_violations(module.double(), torch.zeros(1), torch.ones(1), every, 10_000)
        print(f"{'mirrored' if mirrored else 'rectifiers alone'}: RMSE {error:.4f}; violations {bounds} by bounds over "
              f"100 boxes, {falls} of 10,000 samples", flush=True)  # fmt: skip


def cifar(data: str, many: int) -> list[torch.Tensor]:
    """The first test images, (3, 32, 32) in 0..1."""
    with np.load(Path(data) / "cifar10" / "cifar10_test_first4000.npz") as file:
        return [*torch.from_numpy(file["x"][:many]).permute(0, 3, 1, 2).float() / 255]


def shrinkage(data: str) -> None:
    """2,000 images to train on, 500 to judge with; σ = .2, then the knob at three strengths."""
    images = cifar(data, 2500)
    photos = Photos(images[500:], images[:500], 0)
    module = seeded(lambda: SoftAutoencoder(3), 0)
    began = time.process_time()
    learned(module, photos, 0.2, 4000, Recipe(6, 32, "adam", 2e-3, schedule="cosine"))
    print(f"trained in {time.process_time() - began:.0f} s of the processor", flush=True)
    for noise in (0.1, 0.2, 0.4):
        noisy = photos.noisy(noise)
        values = [photos.mean_psnr(one) for one in knobbed(module, noisy, KNOBS)]
        print(f"noise {noise}: noisy {photos.mean_psnr(noisy):.1f} dB; "
              + ", ".join(f"knob {k:g}: {v:.1f}" for k, v in zip(KNOBS, values, strict=True)), flush=True)  # fmt: skip
    haar, shown = SoftAutoencoder.haar(3, 0.2), torch.stack(images[:100])
    with torch.no_grad():
        found = haar(shown).double().numpy()
    print(f"Haar against wavelets in plain numbers: {np.abs(found - wavelets(shown.double().numpy(), 0.2)).max():.1e}; "
          f"mean PSNR of what it removes {psnr(torch.from_numpy(found), shown).mean():.1f} dB")  # fmt: skip


def wavelets(images: np.ndarray, threshold: float) -> np.ndarray:
    """One level of Haar wavelets, details shrunk softly."""
    a, b, c, d = (images[..., y::2, x::2] for y in (0, 1) for x in (0, 1))
    mean = (a + b + c + d) / 2
    parts = [(a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]
    p, q, r = (np.sign(one) * np.maximum(np.abs(one) - threshold, 0) for one in parts)
    found = np.empty_like(images)
    found[..., ::2, ::2], found[..., ::2, 1::2] = (mean + p + q + r) / 2, (mean - p + q - r) / 2
    found[..., 1::2, ::2], found[..., 1::2, 1::2] = (mean + p - q - r) / 2, (mean - p - q + r) / 2
    return found


def size(data: str, only: str = "") -> None:
    """Every method of the chapter at 224 pixels on ten classes of photos; the most memory so far, the findings."""
    net = pl.load("bundled")
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(Path(data) / "tiny-imagenet-10" / "tiny_imagenet_10.zip") as file:
            file.extractall(place, [name for name in file.namelist() if name.startswith("train/")])
        _sized(net, pl.Data.of(Path(place) / "train").subset(400, 0), only)


def _sized(net: pl.Net, photos: pl.Data, only: str) -> None:
    names = ("animal", "furry", "eaten", "metal")
    table = {label: dict(zip(names, said, strict=True)) for label, said in SAID.items()}
    for entry in pl.entries():
        if entry.chapter != "inherent" or (only and entry.name != only):
            continue
        began, cpu = time.perf_counter(), time.process_time()
        needed = {"concepts": table} if entry.name == "concept_bottleneck" else {}
        found = entry.function(net, photos, **needed)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{entry.name}: {time.perf_counter() - began:.0f} s, of the processor {time.process_time() - cpu:.0f} s, "
              f"{most:.1f} GB at most", flush=True)  # fmt: skip
        for line in found.findings:
            print(f"  {line}", flush=True)


COMMANDS: dict[str, Callable[..., None]] = {
    "infogan": lambda steps="6000", seeds="3": infogan(int(steps), int(seeds)), "monotone": rising,
    "shrinkage": shrinkage, "size": size,
}  # fmt: skip

if __name__ == "__main__":
    torch.set_num_threads(1)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
