"""Time and memory of the landscape methods on the embedded network at 224 pixels, each in a process of its own.

python benchmarks/landscape_size.py PHOTOS     # a folder; what the network answers to 16 of them counts as their class
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pellucid as pl
from pellucid.net import Net

ASKED: dict[str, Callable[[Net, object], pl.Result]] = {
    "line": lambda net, data: pl.landscape.line(net, data, points=9, count=1),
    "plane": lambda net, data: pl.landscape.plane(net, data, points=5),
    "sharpness": lambda net, data: pl.landscape.sharpness(net, data, products=5, directions=2, steps=2),
    "curvature": lambda net, data: pl.landscape.curvature(net, data, products=5, probes=3),
    "convexity": lambda net, data: pl.landscape.convexity(net, data, points="3:reach=0.3", products=4),
}


def main(folder: str, name: str) -> None:
    """Ask one of them, and say what it took and held."""
    net = pl.load("bundled")
    photos = sorted(map(str, Path(folder).rglob("*.jpg")))[:16]
    labels = [int(net.run(net.prepare(pl.read(one))).output.argmax()) for one in photos]
    start = time.perf_counter()
    found = ASKED[name](net, (photos, labels))
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {seconds:.0f} s, peak of the process {peak:.0f} MB", *found.findings, sep="\n    ", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(*sys.argv[1:3])
    else:
        for one in ASKED:
            subprocess.run([sys.executable, __file__, sys.argv[1], one], check=True)
