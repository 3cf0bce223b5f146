"""What the everyday costs: start-up, the main job, the bookkeeping around a forward pass; JSON lines.

    python benchmarks/foundation.py [--runs 5]

Figures are medians over runs; times of whole commands are wall seconds, memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable


def command(*arguments: str, folder: str) -> tuple[float, float]:
    """(wall seconds, peak MB) of one run of a command."""
    code = (
        "import resource, subprocess, sys, time\n"
        "t = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, cwd=folder
    )
    wall, peak = map(float, done.stdout.split())
    return wall, peak


def report(what: str, values: list[float], unit: str) -> None:
    spread = [round(f(values), 3) for f in (min, statistics.median, max)]
    print(json.dumps({"what": what, "min": spread[0], "median": spread[1], "max": spread[2], "unit": unit}), flush=True)


def commands(runs: int) -> None:
    python, cli = sys.executable, [sys.executable, "-m", "pellucid"]
    with tempfile.TemporaryDirectory() as folder:
        for what, line in {
            "import torch": [python, "-c", "import torch"],
            "import torch, pellucid": [python, "-c", "import torch, pellucid"],
            "import torch; pellucid.load": [python, "-c", "import torch, pellucid; pellucid.load"],
            "pellucid --help": [*cli, "--help"],
            "pellucid methods": [*cli, "methods"],
            "pellucid predict": [*cli, "predict", "sample:cat_chelsea"],
            "pellucid explain": [*cli, "explain", "sample:cat_chelsea"],
        }.items():
            measured = [command(*line, folder=folder) for _ in range(runs + 1)][1:]
            report(what, [wall for wall, _ in measured], "s")
            report(what, [peak for _, peak in measured], "MB peak")


def cpu_ms(work: Callable[[], object], n: int = 20) -> float:
    work()
    start = time.process_time()
    for _ in range(n):
        work()
    return (time.process_time() - start) / n * 1000


def bookkeeping(runs: int) -> None:
    """`net.run` against the bare module, interleaved, one thread, CPU time."""
    import torch

    import pellucid as pl

    torch.set_num_threads(1)
    net, x = pl.load("bundled"), torch.rand(1, 3, 224, 224)
    module = net.module.eval()
    ready = net.preprocess.normalize(x)

    def bare() -> object:
        with torch.no_grad():
            return module(ready)

    pairs = [
        (cpu_ms(bare), cpu_ms(lambda: net.run(x)), cpu_ms(lambda: net.run(x, layers=["blocks.3"]))) for _ in range(runs)
    ]
    report("bare forward", [b for b, *_ in pairs], "ms CPU")
    report("net.run / bare forward", [r / b for b, r, _ in pairs], "ratio")
    report("net.run(layers=one layer) / bare forward", [r / b for b, _, r in pairs], "ratio")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(
        json.dumps(
            {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
        )
    )
    bookkeeping(runs)
    commands(runs)
    print(json.dumps({"own peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
