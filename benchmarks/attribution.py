"""What explanations cost: every method once, a very large picture; JSON lines.

    python benchmarks/attribution.py methods|large|errors

One thread. `methods` times every method with its defaults on the embedded network; `large` explains a 4000 × 4000
picture at full size; `errors` gives the completeness that each method reports on the sample photos. Memory over many
explanations is in `real_size.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

import pellucid as pl
from pellucid.catalogue import Entry, entries
from pellucid.errors import PellucidError


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def about_targets() -> Iterator[Entry]:
    """Every attribution method, those without a target too."""
    return (entry for entry in entries() if entry.chapter == "attribution")


def methods() -> None:
    net, photo = pl.load("bundled"), pl.read("sample:panda")
    pl.attribution.gradient(net, photo)
    for entry in about_targets():
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            result = entry.function(net, photo)
        except PellucidError as error:
            say(method=entry.name, refused=str(error))
            continue
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        say(method=entry.name, cpu_s=round(cpu, 2), wall_s=round(wall, 2), completeness=result.meta.completeness)


def large(side: int) -> None:
    """Each in a process of its own, for its own peak."""
    for name, options in {
        "grad_cam": {}, "gradient": {}, "guided_backprop": {}, "lrp": {}, "deep_lift": {}, "layer_cam": {},
        "occlusion": {"size": side // 2, "stride": side // 2},
        "rise": {"samples": 4}, "integrated_gradients": {"steps": 2},
    }.items():  # fmt: skip
        code = (
            "import json, resource, sys, time, torch, pellucid as pl\n"
            f"torch.set_num_threads(1); side = {side}\n"
            "net = pl.load('bundled', size=side)\n"
            "photo = pl.read(torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)))\n"
            "start = time.perf_counter()\n"
            f"heat = pl.attribution.{name}(net, photo, 'giant panda', **{options!r})\n"
            f"print(json.dumps(dict(method={name!r}, side=side, wall_s=round(time.perf_counter() - start, 1),\n"
            "    peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))))\n"
        )
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
        print(done.stdout or json.dumps({"method": name, "failed": done.stderr[-200:]}), end="", flush=True)


def errors() -> None:
    net = pl.load("bundled")
    photos = pl.read([f"sample:{name}" for name in pl.images.samples()])
    for name in ("integrated_gradients", "deep_lift", "full_grad", "lrp", "guided_integrated_gradients"):
        heat = getattr(pl.attribution, name)(net, photos)
        say(method=name, completeness=dict(zip(photos.ids, map(float, heat.meta.completeness), strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["methods", "large", "errors"])
    parser.add_argument("--side", type=int, default=4000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what == "large":
        large(asked.side)
    else:
        {"methods": methods, "errors": errors}[asked.what]()


if __name__ == "__main__":
    main()
