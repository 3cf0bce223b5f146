"""What watching a training costs on a ResNet-18 at every=50, and that it changes no bit.

python benchmarks/training_watch.py            # minutes on one thread; a GPU is measured where there is one

Steps with and without a watch alternate. The difference between a watched step and a plain one is what watching costs
then; a fiftieth of that, beside a plain step, is the overhead at every=50.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import pellucid as pl

EVERY = 50


def made(device: str, dropout: bool = False) -> nn.Module:
    """A ResNet-18 with ten classes."""
    torch.manual_seed(0)
    module = torchvision.models.resnet18(num_classes=10)
    if dropout:
        module.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(512, 10))
    return module.to(device).train()


def overhead(device: str, size: int, batch: int, rounds: int, plain: int) -> None:
    """Print what a plain step, a watched one and the start of a watch take, and the overhead."""
    module = made(device)
    optimizer = torch.optim.SGD(module.parameters(), 0.01, momentum=0.9)
    inputs = torch.rand(batch, 3, size, size, device=device)
    labels = torch.arange(batch, device=device) % 10
    clock = time.process_time if device == "cpu" else time.perf_counter

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(module(inputs), labels).backward()
        optimizer.step()

    def timed(call: Callable[[], Any]) -> float:
        if device != "cpu":
            torch.cuda.synchronize()
        start = clock()
        call()
        if device != "cpu":
            torch.cuda.synchronize()
        return clock() - start

    for _ in range(2 if device == "cpu" else 10):
        step()
    without, beside = [], []
    for _ in range(rounds):
        without.append(timed(lambda: [step() for _ in range(plain)]) / plain)
        with tempfile.TemporaryDirectory() as folder, pl.training.watch(module, every=10**6, folder=folder) as seen:
            seen.steps = 10**6  # the next step is watched, and what follows ends it
            beside.append(timed(lambda: [step(), seen.begin(0)]))
    one, other = statistics.median(without), statistics.median(beside)
    share = (other - one) / (EVERY * one)
    spread = sorted((b - a) / (EVERY * a) for a, b in zip(without, beside, strict=True))
    print(
        f"{device}, {batch} images of {size} px: a step {1000 * one:.1f} ms, a watched one {1000 * other:.1f} ms; "
        f"overhead at every={EVERY}: {share:.2%} ({spread[0]:.2%} to {spread[-1]:.2%})"
    )


def same_bits(device: str, name: str, passes: int = 1, autocast: bool = False, dropout: bool = False) -> None:
    """Train with and without, and compare weights, buffers, the optimizer's state and random numbers."""

    def trained(folder: Path | None) -> list[torch.Tensor]:
        module = made(device, dropout)
        optimizer = torch.optim.AdamW(module.parameters(), 1e-3)
        torch.manual_seed(1)
        inputs = torch.rand(24, 3, 32, 32).to(device)
        labels = (torch.arange(24) % 10).to(device)
        seen: Any = pl.training.watch(module, every=2, folder=folder, passes=passes) if folder else nullcontext()
        with seen:
            for _ in range(5):
                for part in range(passes):
                    chosen = slice(part * 24 // passes, (part + 1) * 24 // passes)
                    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=autocast):
                        loss = F.cross_entropy(module(inputs[chosen]), labels[chosen]) / passes
                    loss.backward()
                optimizer.step()
                optimizer.zero_grad()
        state = [value for one in optimizer.state.values() for value in one.values()]
        return [*module.state_dict().values(), *state, torch.get_rng_state()]

    with tempfile.TemporaryDirectory() as folder:
        pairs = list(zip(trained(None), trained(Path(folder)), strict=True))
    print(f"{device}, {name}: {sum(torch.equal(a, b) for a, b in pairs)} of {len(pairs)} tensors are the same")


def main() -> None:
    """Print all."""
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        torch.backends.cudnn.deterministic = True
        for size, batch in ((64, 32), (224, 32), (224, 128)):
            overhead("cuda", size, batch, rounds=7, plain=20)
    devices = ["cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        same_bits(device, "dropout and batch norm", dropout=True)
        same_bits(device, "autocast to bfloat16", autocast=True)
        same_bits(device, "gradients accumulated over 3 passes", passes=3, dropout=True)
    if not torch.cuda.is_available():
        overhead("cpu", 64, 32, rounds=5, plain=3)
        overhead("cpu", 224, 8, rounds=3, plain=2)


if __name__ == "__main__":
    main()
