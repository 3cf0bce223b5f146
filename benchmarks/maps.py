"""What maps cost: t-SNE of ours beside openTSNE alone, the grid of 50,000 points, the nearest of 100,000 rows.

    python benchmarks/maps.py [rows]

One thread. Ours and the peer's are measured in turn, in the same process, on the same rows: 50 clusters in 1280
dimensions. Prints a table for benchmarks/RESULTS.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from pellucid.index.search import nearest, squared
from pellucid.layout.grid import assigned, kept, polished
from pellucid.layout.layout import laid_out
from pellucid.layout.quality import quality

ROWS, CHANNELS, ROUNDS = 5000, 1280, 2


def timed(work: Callable[[], object]) -> tuple[float, float, object]:
    """(seconds, CPU seconds, what came of it)"""
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - start, time.process_time() - cpu, found


def main(count: int = ROWS) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    chance = np.random.default_rng(0)
    middles = chance.normal(size=(50, CHANNELS)) * 0.6
    rows = (middles[chance.integers(0, 50, count)] + chance.normal(size=(count, CHANNELS))).astype(np.float32)

    def peer() -> object:
        import openTSNE

        return np.asarray(openTSNE.TSNE(perplexity=30, n_jobs=1, random_state=0).fit(rows))

    def ours() -> object:
        return laid_out(rows, "tsne", 30.0, 0).values

    times: dict[str, list[tuple[float, float]]] = {"openTSNE alone": [], "ours: 50 components, openTSNE": []}
    said = {}
    for _ in range(ROUNDS):
        for name, work in zip(times, (peer, ours), strict=True):
            wall, cpu, found = timed(work)
            times[name].append((wall, cpu))
            said[name] = quality(rows, np.asarray(found, np.float64), 0)
    print(f"| t-SNE of {count} × {CHANNELS} | s | CPU s | kNN recall | trust | rank |\n|---|---|---|---|---|---|")
    for name, found in times.items():
        wall, cpu = (statistics.median(one) for one in zip(*found, strict=True))
        q = said[name]
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {q['recall']:.3f} | {q['trust']:.3f} | {q['rank']:.3f} |")

    points = chance.normal(size=(200, 2))[chance.integers(0, 200, 50_176)] * 5 + chance.normal(size=(50_176, 2))
    halved = min(timed(lambda: assigned(points, (224, 224)))[0] for _ in range(3))
    cells = assigned(points, (224, 224))
    better = min(timed(lambda: polished(points, cells, (224, 224)))[0] for _ in range(3))
    few, small = points[:4096], assigned(points[:4096], (64, 64))
    print("\n| grid of 50,176 points | s | 8 nearest kept, of 4096 |\n|---|---|---|")
    print(f"| halved at medians | {halved:.3f} | {kept(few, small):.3f} |")
    print(f"| and neighbors exchanged | {halved + better:.3f} | {kept(few, polished(few, small, (64, 64))):.3f} |")

    many = chance.normal(size=(100_000, CHANNELS)).astype(np.float16).astype(np.float32)
    lengths, asked = squared(many), many[:1]
    print("\n| nearest 9 of 100,000 × 1280, one picture | ms | CPU ms |\n|---|---|---|")
    for name, known in (("first question about an index", None), ("every other", lengths)):
        runs = [timed(lambda known=known: nearest(asked, many, 9, "cosine", known))[:2] for _ in range(7)]  # type: ignore[misc]
        print(f"| {name} | {1000 * min(w for w, _ in runs):.0f} | {1000 * min(c for _, c in runs):.0f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
