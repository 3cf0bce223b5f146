"""Building blocks: how much groups of units leave over, by their number, and what a page costs.

python -m benchmarks.blocks DATA [IMAGES]       R20, layer3, of so many test images (200): errors and residuals by rank
python -m benchmarks.blocks DATA planted        groups that are planted in activations are found again
python -m benchmarks.blocks pages               the bundled network: time of every method of the chapter on one photo
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.decomposition.test_factors import planted
from tests.methods.training.networks import cifar

import pellucid as pl
from pellucid.decomposition.factors import directions_of
from pellucid.decomposition.grouped import grouped
from pellucid.images import Images
from pellucid.saliency.between import at_layer
from pellucid.target import BEST, fixed

RANKS = (1, 2, 4, 6, 10)


def ranks(data: str, images: int = 200) -> None:
    """The mean over the images of ‖A − W G‖ / ‖A‖ and of |residual| / |sum|, the worst miss of the identities."""

    def shared(path: str) -> Path:
        return Path(data).parent / path

    net = cifar(shared, "resnet20")
    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        pixels = torch.from_numpy(file["x"][:images]).permute(0, 3, 1, 2)
    rows: dict[int, list[tuple[float, float]]] = {rank: [] for rank in RANKS}
    agreed: dict[int, list[float]] = {rank: [] for rank in RANKS}
    missed = 0.0
    for i in range(images):
        shown = net.prepare(Images.from_pictures([pixels[i]], [str(i)])).pixels
        target = fixed(BEST, net.run(shown))
        at = at_layer(net, shown, target, "layer3", 1)
        product = at.activation * at.gradient
        if i == 0:
            (bias,) = (one.detach() for name, one in net.module.named_parameters() if name.endswith("linear.bias"))
            less = at.score - float(bias[int(net.run(shown).output.argmax())])
            print(f"first image: channels {product.sum(0).sum():.5f}, places {product.sum(1).sum():.5f}, "
                  f"logit − bias {less:.5f}")  # fmt: skip
        for rank in RANKS:
            found = grouped(at.activation, at.gradient, rank)
            rows[rank].append((found.error, abs(found.residual / at.total)))
            agreed[rank].append(float(found.agreement.mean()))
            missed = max(missed, abs(found.total - at.total) / abs(at.total))
    print(f"R20, layer3, {images} images; identities missed by {missed:.0e} at most")
    print("| groups | activations left over | attribution in the residual, mean | median | two starts agree |")
    print("|---|---|---|---|---|")
    for rank in RANKS:
        error, left = np.mean(rows[rank], 0)
        middle = np.median(rows[rank], 0)[1]
        print(f"| {rank} | {error:.3f} | {left:.3f} | {middle:.3f} | {np.mean(agreed[rank]):.2f} |")


def found_again() -> None:
    """The worst cosine of a planted direction with the nearest that was found, by groups and noise."""
    print("| groups | noise | worst cosine, from singular vectors | from a random start |")
    print("|---|---|---|---|")
    for groups in (3, 6):
        for noise in (0.0, 0.1, 0.3):
            worst = []
            for seed in (None, 0):
                cosines = []
                for one in range(10):
                    values, wanted = planted(196, 24 * groups, groups, seed=one)
                    values = values + noise * np.abs(np.random.default_rng(one).standard_normal(values.shape))
                    cosines.append(float((directions_of(values, groups, seed=seed) @ wanted.T).max(0).min()))
                worst.append(min(cosines))
            print(f"| {groups} | {noise} | {worst[0]:.3f} | {worst[1]:.3f} |")


def pages() -> None:
    """Seconds of the wall and of the processor."""
    net = pl.load("bundled")
    for name in ("neuron_groups", "pathways", "semantic_dictionary", "layer_attribution"):
        for how in (dict[str, Any](), dict(pl.find(name).quick)):
            wall, cpu = time.monotonic(), time.process_time()
            getattr(pl.blocks, name)(net, "sample:panda", **how)
            print(f"{name} {how or 'as by default'}: {time.monotonic() - wall:.1f} s, "
                  f"{time.process_time() - cpu:.1f} s of a core", flush=True)  # fmt: skip


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what == "pages":
        pages()
    elif rest == ["planted"]:
        found_again()
    elif what != "help":
        ranks(what, *map(int, rest))
    else:
        print(__doc__)
