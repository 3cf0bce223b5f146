"""How strong each spatial frequency is in photos: the constants of magnitude-constrained pictures.

    python benchmarks/spectrum.py [../shared/data/images-imagenet1000] [--images 1000]

The central 256 × 256 of each photo, its logits (pixels within 1/255 of black and white) in decorrelated colors,
|rfft2| averaged over photos, then over rings of equal width in log frequency. Printed as the table that
`pellucid.render.spectrum` holds: one row for each color, relative to the strongest entry; and the mean
of |mean| over photos on the same scale.
"""

from __future__ import annotations

import argparse

import torch

import pellucid as pl
from pellucid.images import pictures_in
from pellucid.net import Preprocess
from pellucid.render.spectrum import RINGS, decolored, frequencies

SIDE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="../shared/data/images-imagenet1000")
    parser.add_argument("--images", type=int, default=1000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cut, count = Preprocess(SIDE, (SIDE, SIDE), "bicubic"), 0
    total, means = torch.zeros(3, SIDE, SIDE // 2 + 1).double(), torch.zeros(3).double()
    for path in pictures_in(asked.folder)[: asked.images]:
        pixels = cut.prepare(pl.read(path)).pixels.double()
        logits = torch.logit(pixels.clamp(1 / 255, 1 - 1 / 255))
        waves = decolored(logits)
        total, count = total + torch.fft.rfft2(waves, norm="ortho")[0].abs(), count + 1
        means += waves.mean((2, 3))[0].abs()
    mean, f = total / count, frequencies((SIDE, SIDE))
    rings = torch.tensor(RINGS, dtype=torch.float64)
    edges = (rings[1:] * rings[:-1]).sqrt()
    which = torch.bucketize(f, edges)
    table = torch.stack([mean[:, (which == i) & (f > 0)].mean(1) for i in range(len(rings))], dim=1)
    print(f"# {count} photos; exponents of f: ", end="")
    slopes = []
    for row in table:
        x, y = rings.log(), row.log()
        slopes.append(float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()))
    print(", ".join(f"{slope:.2f}" for slope in slopes))
    print("# |mean|: " + ", ".join(f"{float(value):.3g}" for value in means / count / table.max()))
    for row in table / table.max():
        print("(" + ", ".join(f"{float(value):.3g}" for value in row) + "),")


if __name__ == "__main__":
    main()
