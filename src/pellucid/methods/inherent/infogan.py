"""InfoGAN: a generator that learns by itself which categories and which ways of changing its images have."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default
from pellucid.interpretable.cells import Cells, cells
from pellucid.interpretable.infogan import CODES, Made, matched, trained
from pellucid.learning.features import PIXELS
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Curve, Line, Mark, Meta, Pictures, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator
from pellucid.statistics import k_means

_SHOWN = 8
_HELP = {
    "category": "number of the code",
    "class": "class that it is matched with, so that as many images as possible agree; none where classes are fewer",
    "share": "share of the images that are read as this category",
    "purity": "share of these that have its class",
}


@method(
    "InfoGAN",
    purpose="a generator whose codes learn what images vary in",
    shows=(
        "Rows of a traversal are categories, columns one code swept: read what changes. The bound says how well codes "
        "can be read back from images made with them; at its most (the logarithm of the categories) it says that codes "
        "are used, and not that they are your classes: the matched accuracy says that, beside k-means. No label is "
        "used. It is a small network for small images. Minutes for 4,000 steps."
    ),
    source="Chen et al. 2016, equations 4 to 6 and section 7",
    over="all",
    quick={"steps": 100},
)
def infogan(
    net: Net,
    data: NewTask,
    *,
    categories: Annotated[
        int | None,
        Field(ge=2, le=100, description="number of categories of the code"),
        Default("as many as there are classes"),
    ] = None,
    steps: Annotated[int, Field(ge=1, le=10**6, description="number of steps of training, of 64 images each")] = 4000,
    side: Annotated[int, Field(ge=4, le=32, description="side of the images that are made, in pixels, at most")] = 16,
    weight: Annotated[float, Field(ge=0, description="weight of the bound in the generator's loss")] = 1.0,
    repeats: Annotated[
        int, Field(ge=1, le=20, description="number of seeds; kept is the one most sure of real images")
    ] = 1,
    seed: Seed = 0,
) -> Study:
    """G(z, c) makes images of 62 random numbers, one of K categories and two codes in −1..1, and Q reads c back:
    the table `categories` has one row for each.

    L_I = E log Q(c | G(z, c)) + H(c) is a lower bound of the mutual information of category and image, at most ln K;
    −log Q of the codes, a Gaussian of variance 1, counts a tenth. Images are the data's, as the network would be shown
    them, made small; the network's weights play no part. A fourth of the images is never trained on: how often their
    category is that of their class is counted with the best assignment of categories to classes, which is found on the
    others, and so for k-means of the pixels. Of several seeds that one is kept whose categories tell most about real
    images, which needs no labels.
    """
    some = cells(net, data, PIXELS, seed)
    images = _small(some.maps, side)
    many = categories or max(len(some.classes), 2)
    each = [trained(images[some.train], many, steps=steps, weight=weight, seed=seed + i) for i in range(repeats)]
    made = max(each, key=lambda one: one.confidence(images[some.train]))
    read = made.read(images)[0].argmax(1).numpy()
    own, rows = _judged(read, some)
    grouped = k_means(images.flatten(1).double().numpy(), many, [generator(seed, "k-means", i) for i in range(5)])
    other, _ = _judged(grouped, some)
    codes, last = made.correlation(seed), float(made.bounds[-5:].mean())
    meta = Meta(
        found={"bound": last, "most": math.log(many), "matched": own, "k-means": other, "seed kept": each.index(made)},
        notes=(Note("choice", f"images of {images.shape[2]} × {images.shape[3]} pixels"),),
    )
    return Study(
        (f"bound {last:.3f} of {math.log(many):.3f} nats; codes are read back with a correlation of "
         f"{', '.join(f'{one:.2f}' for one in codes)}",
         f"the category is that of the class for {own:.3f} of the held-out images, k-means has {other:.3f}"),
        {"bound": _bounds(made, many), "losses": _losses(made)}, {}, {"categories": rows}, meta,
        {"traversals": _traversals(made, seed), "real_images": _real(images, read, many)},
    )  # fmt: skip


def _small(maps: Tensor, side: int) -> Tensor:
    return F.adaptive_avg_pool2d(maps, (min(maps.shape[-2], side), min(maps.shape[-1], side))).clamp(0, 1)


def _judged(groups: np.ndarray, some: Cells) -> tuple[float, Table]:
    """(share of the held-out images whose group is matched with their class, a row for each group)."""
    labels = some.labels.numpy()
    _, classes = matched(groups[some.train.numpy()], labels[some.train.numpy()])
    test = some.test.numpy()
    right = np.array([classes.get(int(g), -1) == k for g, k in zip(groups[test], labels[test], strict=True)])
    rows: list[tuple[Cell, ...]] = []
    for g in range(int(groups.max()) + 1):
        own = labels[groups == g]
        k = classes.get(g)
        purity = float((own == k).mean()) if k is not None and len(own) else None
        rows.append((g, None if k is None else some.classes[k], float((groups == g).mean()), purity))
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    return float(right.mean()), Table(columns, _HELP, plot_columns=("share", "purity"))


def _bounds(made: Made, many: int) -> Curve:
    at = made.at.astype(float)
    most = Line("ln of the categories", at, np.full(len(at), math.log(many)), None, "nats", "dashed")
    return Curve((Line("lower bound of the mutual information", at, made.bounds, None, "nats"), most), "step")


def _losses(made: Made) -> Curve:
    at = made.at.astype(float)
    lines = [Line(name, at, made.losses[:, k], None, "loss") for k, name in enumerate(("critic", "generator"))]
    return Curve(tuple(lines), "step", (Mark(float(at[-1]), "end"),))


def _traversals(made: Made, seed: int) -> Pictures:
    pixels = np.stack([made.traversal(k, seed=seed) for k in range(CODES)])
    names = tuple(f"code {k + 1} from −2 to 2, a row for each category" for k in range(CODES))
    return Pictures(pixels, names, {"correlation": tuple(map(float, made.correlation(seed)))}, columns=CODES)


def _real(images: Tensor, read: np.ndarray, many: int) -> Pictures:
    """The first images of each category, side by side, a picture for each."""
    pixels, names = [], []
    for k in range(many):
        own = images[torch.from_numpy(np.flatnonzero(read == k)[:_SHOWN])][:, :3]
        row = torch.ones(_SHOWN, *images[:, :3].shape[1:])
        row[: len(own)] = own
        wide = F.pad(row, (0, 1, 0, 1), value=1.0).permute(2, 0, 3, 1).flatten(1, 2)
        wide = wide if wide.shape[-1] == 3 else wide[..., :1].expand(-1, -1, 3)
        pixels.append((wide * 255).round().byte().numpy())
        names.append(f"category {k}")
    return Pictures(np.stack(pixels), tuple(names), columns=2)
