"""What methods cost on a ResNet-50 at 224 pixels, in forward passes and in memory; JSON lines.

    python benchmarks/real_size.py passes [--rounds 15]
    python benchmarks/real_size.py memory [--calls 300]

Passes are CPU time of one thread over that of the bare module in the same rounds, which take turns; the median of the
rounds' ratios is given, with the quartiles. Memory is what is resident after that many explanations by LRP.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision

import pellucid as pl
from pellucid.net import Net


def network() -> Net:
    torch.manual_seed(0)
    module = torchvision.models.resnet50(weights=None).train()
    with torch.no_grad():
        module(torch.rand(8, 3, 224, 224))  # running statistics of its own
    return pl.load(module, size=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def passes(rounds: int) -> None:
    torch.set_num_threads(1)
    net, image = network(), pl.Images.of(torch.rand(1, 3, 224, 224))
    seen = net.prepare(image).pixels
    ready = net.preprocess.normalize(seen)

    def bare() -> None:
        with torch.no_grad():
            net.module.eval()(ready)

    with_graph = ready.clone().requires_grad_()
    asked: dict[str, Callable[[], object]] = {
        "net.run": lambda: net.run(seen),
        "net.run, with a layer": lambda: net.run(seen, layers=["layer4"]),
        "grad_cam": lambda: pl.attribution.grad_cam(net, image),
        "grad_cam, five classes": lambda: pl.attribution.grad_cam(net, image, [1, 2, 3, 4, 5]),
        "gradient": lambda: pl.attribution.gradient(net, image),
        "forward and backward by hand": lambda: net.module(with_graph)[0, 1].backward(),
        "lrp": lambda: pl.attribution.lrp(net, image),
        "predict": lambda: net.predict(image),
    }
    ratios: dict[str, list[float]] = {name: [] for name in asked}
    for work in (bare, *asked.values()):
        work()
        work()
    for _ in range(rounds):
        for name, work in asked.items():
            before, spent, after = cpu(bare), cpu(work), cpu(bare)
            ratios[name].append(2 * spent / (before + after))
    for name, found in ratios.items():
        low, middle, high = statistics.quantiles(found, n=4)
        print(json.dumps({"what": name, "forward passes": [round(one, 3) for one in (low, middle, high)]}), flush=True)


def resident() -> float:
    """MB of the process, after what is free has gone back to the system."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory(calls: int) -> None:
    net, image = network(), pl.Images.of(torch.rand(1, 3, 224, 224))
    for number in range(1, calls + 1):
        pl.attribution.lrp(net, image, number % 1000)
        if number in (2, 10) or number % 50 == 0:
            print(json.dumps({"explanations": number, "MB": round(resident())}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("passes", "memory"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=300)
    told = parser.parse_args()
    passes(told.rounds) if told.what == "passes" else memory(told.calls)
