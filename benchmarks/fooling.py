"""How little fools the bundled network: photos that it should take for a random other class, as a markdown table.

    python benchmarks/fooling.py [--photos FOLDER] [--count 20] [--seed 1]

Every picture is written as PNG and read again before its probability is taken. The exit status is 1 unless every
picture reaches 0.9 with no value changed by more than 8 of 255.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pl
from pellucid.images import pictures_in
from pellucid.rng import generator

HOME = Path(__file__).resolve().parents[2] / "shared/data/images-imagenet1000"


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--photos", type=Path, default=HOME)
    asked.add_argument("--count", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    how = asked.parse_args()
    net, files, chance = pl.load("bundled"), pictures_in(how.photos), generator(how.seed, "fooling")
    chosen = [files[i] for i in sorted(chance.choice(len(files), how.count, replace=False))]
    print("| photo | pixels | first guess | asked for | p before | p saved | largest change | RMS | steps | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for path in chosen:
        photo = pl.read(path)
        first = net.top(photo, 1)[0]
        others = [i for i in range(1000) if i != first.index and net.class_name(i) not in path.stem]
        target = int(chance.choice(others))
        start = time.process_time()
        found = pl.synthesis.fooling(net, photo, target)
        cpu = time.process_time() - start
        with tempfile.TemporaryDirectory() as folder:
            file = found.write(Path(folder, "fooled.png"))[0]
            again = next(one for one in net.top(pl.read(file), 1000) if one.index == target).probability
            with Image.open(file) as saved:
                change = np.asarray(saved).astype(int) - photo.originals[0].permute(1, 2, 0).numpy()
        rows.append((again, abs(change).max(), np.sqrt((change**2).mean()), found.facts["steps"][0]))
        size, before = f"{change.shape[1]} × {change.shape[0]}", found.facts["probability before"][0]
        print(
            f"| {path.stem} | {size} | {first.label} | {net.class_name(target)} | {before:.1g} "
            f"| {again:.3f} | {rows[-1][1]} | {rows[-1][2]:.2f} | {rows[-1][3]:.0f} | {cpu:.1f} |",
            flush=True,
        )
    done = sum(p >= 0.9 and most <= 8 for p, most, *_ in rows)
    table = np.array(rows)
    print(f"\n{done} of {len(rows)} reach 0.9 within 8 of 255; median largest change {np.median(table[:, 1]):g}, "
          f"greatest {table[:, 1].max():g}; median RMS {np.median(table[:, 2]):.2f}, "
          f"median steps {np.median(table[:, 3]):g}")  # fmt: skip
    return int(done < len(rows))


if __name__ == "__main__":
    sys.exit(main())
