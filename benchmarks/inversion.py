"""What layers of the bundled network keep of photos: the error of inversion, from early to late.

    python benchmarks/inversion.py [FOLDER]

Prints one table in markdown; with a folder, the pictures are saved there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

import pellucid as pl

PHOTOS = ("cat_chelsea", "espresso", "palace_china", "panda")
LAYERS = ("blocks.0", "blocks.1", "blocks.3", "conv_head")


def main() -> None:
    torch.set_num_threads(1)
    net, folder = pl.load("bundled"), Path(sys.argv[1]) if len(sys.argv) > 1 else None
    print(f"| photo | {' | '.join(LAYERS)} | CPU seconds |\n|---|{'---|' * (len(LAYERS) + 1)}", flush=True)
    rows = []
    for name in PHOTOS:
        start = time.process_time()
        made = pl.synthesis.inversion(net, f"sample:{name}", layers=LAYERS)
        rows.append((*made.facts["error"], time.process_time() - start))
        print(line(name, rows[-1]), flush=True)
        if folder is not None:
            pl.draw(made).save(folder / f"inversion-{name}.png")
    print(line("mean", tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))))


def line(name: str, row: tuple[float, ...]) -> str:
    """One row of the table."""
    return f"| {name} | {' | '.join(f'{error:.4f}' for error in row[:-1])} | {row[-1]:.0f} |"


if __name__ == "__main__":
    main()
