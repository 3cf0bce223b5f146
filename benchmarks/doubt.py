"""Seeds of doubt: pictures of explanations that mislead, and the figure that tells on each of them.

python -m benchmarks.doubt --out docs/pictures     # a minute on one core, with the photos that come with it
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import pellucid as pl
from pellucid.evaluation.explainers import on_input
from pellucid.evaluation.randomized import groups, redrawn
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.statistics import rank_correlation

PERSON, FLOWER, BEAR = "sample:grace_hopper", "sample:dahlia", "sample:polar_bear"
KOALA = "sample:koala"


def flat(heat: Heatmap) -> Floats:
    """At the pixels of the network's input, as one row."""
    return on_input(heat, (224, 224)).ravel()


def same_for_all_classes(net: Net, folder: Path) -> None:
    """Guided backpropagation and Grad-CAM of the same three classes."""
    found = pl.explain(net, PERSON, classes=3, methods=("guided_backprop", "grad_cam"))
    pl.draw(found, title="One photo, three classes").save(folder / "doubt_classes.jpg")
    for row in found.rows:
        first, *others = map(flat, row.maps)
        print(f"{row.method}: rank correlation of the first class with the others",
              [round(rank_correlation(first, one), 2) for one in others])  # fmt: skip


def a_cover_that_is_a_thing(net: Net, folder: Path) -> None:
    """A square on the flower, gray or of the mean color beneath it, and what the network takes that for."""
    photo = net.prepare(net.images(FLOWER))
    for name, fill in (("gray", 0.0), ("of its mean color", None)):
        pixels = photo.pixels.clone()
        rows, columns = slice(32, 96), slice(96, 160)
        soft = pixels[:, :, rows, columns].mean((2, 3), keepdim=True)
        pixels[:, :, rows, columns] = soft if fill is None else fill
        before, after = (net.run(one).probabilities[0] for one in (photo.pixels, pixels))
        gained = int((after - before).argmax())
        print(f"cover {name}: {net.class_name(gained)} {float(before[gained]):.3f} -> {float(after[gained]):.3f}")
    maps = [pl.attribution.occlusion(net, FLOWER, "candle", size=64, stride=16, fill=fill) for fill in ("gray", "blur")]
    pl.draw(maps, FLOWER, crop=True, title="Occlusion of “candle”: a gray cover, a blurred cover").save(
        folder / "doubt_cover.jpg"
    )
    print("occlusion by gray and by blur: rank correlation", round(rank_correlation(*map(flat, maps)), 2))


def saturated(net: Net, folder: Path) -> None:
    """The gradient of a probability near 1, and of the logit behind it."""
    asked = ("p(ice bear)", "ice bear")
    maps = [pl.attribution.gradient(net, BEAR, target) for target in asked]
    pl.draw(maps, BEAR, crop=True, title="Gradient of a probability, and of its logit").save(
        folder / "doubt_saturated.jpg"
    )
    for target, heat in zip(asked, maps, strict=True):
        score = heat.meta.score or (float("nan"),)
        print(target, f"score {score[0]:.4f}, largest slope {np.abs(heat.values).max():.2e}", *heat.meta.said)


def unmoved(net: Net, folder: Path) -> None:
    """Maps of the network as it is, and with random weights in the upper half, then in all layers."""
    photos = ["sample:lemur", "sample:panda", "sample:koala", "sample:scarlet_macaw", BEAR, "sample:espresso"]
    of = "grad_cam,gradient,guided_backprop,integrated_gradients"
    found = pl.quality.randomization(net, photos, of=of, steps=6)
    pl.draw(found).save(folder / "doubt_random.jpg")
    for line in found.findings:
        print(line)


def right_by_chance(net: Net, folder: Path) -> None:
    """Grad-CAM of the network, and of one with random weights everywhere: both find the koala."""
    every = tuple(name for _, names in groups(net) for name in names)
    nets = (net, net.with_weights(redrawn(net, every, 2)))
    maps = [pl.attribution.grad_cam(one, KOALA, "koala") for one in nets]
    for one, heat in zip(nets, maps, strict=True):
        chance = float(one.run(one.prepare(one.images(KOALA)).pixels).probabilities[0, one.class_index("koala")])
        print(f"the probability of koala is {chance:.2g}, the largest value of the map {heat.values.max():.2g} logit")
    told = "Grad-CAM of “koala”: trained, and random weights"
    pl.draw(maps, KOALA, title=told, scale="own", crop=True).save(folder / "doubt_chance.jpg")


def main() -> None:
    """All of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    net = pl.load("bundled")
    for one in (same_for_all_classes, a_cover_that_is_a_thing, saturated, unmoved, right_by_chance):
        print(f"\n{one.__doc__}")
        one(net, folder)


if __name__ == "__main__":
    main()
