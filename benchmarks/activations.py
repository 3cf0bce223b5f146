"""What looking at a layer costs live: maps of one layer of the bundled network beside its bare forward pass.

    python benchmarks/activations.py [rounds]

One thread, and its CPU time. The two are measured in turn, many times, and their ratios are taken pair by pair: on
a busy machine both halves of a pair suffer alike; the first row, a bare pass beside a bare pass, shows by how much
such a ratio is off. Prints a table for benchmarks/RESULTS.md.
"""

from __future__ import annotations

import inspect
import statistics
import sys
import time
from collections.abc import Callable

import torch

import pellucid as pl

ROUNDS = 150
LAYERS = {"early": "blocks.0", "middle": "blocks.3", "last": "act2"}
UNITS = tuple(range(16))


def milliseconds(work: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.thread_time()
    work()
    return 1000 * (time.thread_time() - start)


def paired(work: Callable[[], object], beside: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """(median of work in ms, of the other in ms, median of the ratios of pairs), the order turned every time."""
    pairs = []
    for i in range(rounds + 10):
        if i % 2:
            other, mine = milliseconds(beside), milliseconds(work)
        else:
            mine, other = milliseconds(work), milliseconds(beside)
        pairs.append((mine, other))
    kept = pairs[10:]  # the first warm up
    mine, other, ratio = (statistics.median(values) for values in zip(*((m, o, m / o) for m, o in kept), strict=True))
    return mine, other, ratio


def main(rounds: int = ROUNDS) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    net, photo = pl.load("bundled"), pl.read("sample:panda")
    seen = net.prepare(photo)
    pixels = seen.pixels
    inputs = net.preprocess.normalize(pixels)
    net.module.eval()

    def bare() -> object:
        with torch.no_grad():
            return net.module(inputs)

    unsigned = inspect.unwrap(pl.activations.maps)  # without its origin in Meta
    print("| maps of | what | ms | bare pass, ms | over the bare pass |")
    print("|---|---|---|---|---|")

    def row(where: str, what: str, work: Callable[[], object]) -> None:
        mine, other, ratio = paired(work, bare, rounds)
        print(f"| {where} | {what} | {mine:.1f} | {other:.1f} | {100 * (ratio - 1):+.1f} % |", flush=True)

    row("none", "the bare pass itself", bare)

    def rows_of(where: str, layer: str) -> None:
        about = {"layer": layer, "scale": "own", "most": 16}
        row(where, "`net.run(layers=[layer], stop=True)`", lambda: net.run(pixels, layers=[layer], stop=True))
        row(where, "`net.run(layers=[layer])`, to the end", lambda: net.run(pixels, layers=[layer]))
        row(where, "maps of 16 units, unsigned", lambda: unsigned(net, seen, units=UNITS, **about))
        row(where, "the strongest 16, unsigned", lambda: unsigned(net, seen, units=None, **about))
        row(where, "`activations.maps`, whole", lambda: pl.activations.maps(net, seen, **about))

    for name, layer in LAYERS.items():
        rows_of(f"{name}, {layer}", layer)
    hashed = paired(lambda: net.weights, bare, max(rounds // 5, 5))[0]
    print(f"\nUnsigned: without Meta, whose hash of the weights takes {hashed:.1f} ms; live views use `net.run`.")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
