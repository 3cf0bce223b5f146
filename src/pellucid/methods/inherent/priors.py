"""Priors: first layers that a person wrote down, beside one that is learned, over the number of images."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.interpretable.cells import Cells, Judged, cells, fitted
from pellucid.interpretable.first_layers import FixedConv, bank
from pellucid.learning.features import PIXELS
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Pictures, Study, Table
from pellucid.rng import Seed, generator

_DEFAULT = {"epochs": 20, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=20")
_SIZE, _WIDTH = 7, 16
LEARNED = "learned"
_HELP = {
    "first layer": "its filters: learned, fixed at random, or written down",
    "images": "number of images to train on",
    "accuracy": "share of the held-out images, 0..1",
    "error": "half the width of the 95 % Wilson interval of that over 1.96",
    "gain": "accuracy that it has more than the one that learns its first layer, on as many images",
    "gain error": "standard error of that, on the same held-out images",
    "weights": "how many numbers are trained",
}


class SmallNet(nn.Module):
    """A first layer of K maps, then two convolutions with pooling, the mean over places and a linear layer."""

    def __init__(self, first: nn.Module, maps: int, classes: int) -> None:
        super().__init__()
        self.first = first
        self.rest = nn.Sequential(
            nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(maps, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.rest(self.first(x - 0.5))
        return found


@method(
    "Handcrafted priors",
    purpose="first layers written down, beside one that is learned",
    shows=(
        "A first layer that fits images need not be learned: read whether it helps where images are few, and whether "
        "the learned one catches up. Fixed filters at random are the control: what they gain is not owed "
        "to the design. A gain within two errors is none. Small networks on images of 32 pixels; the given network "
        "only says how images are prepared. A short training for each first layer and number of images."
    ),
    source="Daugman 1985, equation 1 (Gabor); Freeman & Adelson 1991, section II (steerable); Oyallon et al. 2017, "
    "section 4 (few images)",
    over="all",
    quick={"recipe": "epochs=2"},
)
def priors(
    net: Net,
    data: NewTask,
    *,
    banks: Annotated[
        tuple[Literal["gabor", "opponent", "steerable", "cosines"], ...],
        Field(min_length=1, description="filters that are written down, to compare"),
    ] = ("gabor", "opponent", "steerable", "cosines"),
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...],
        Field(min_length=1, description="shares of the training images that are used"),
    ] = (0.25, 0.5, 1.0),
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=20,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Small networks with a first layer of 7 × 7 filters each: `networks` has one row for each and number of images.

    Fixed filters are buffers, not weights, so that no gradient reaches them; one number for each map may scale it.
    Gabor filters are of four orientations and two wavelengths, opponent ones see luminance, red against green and blue
    against yellow, steerable ones are derivatives of a Gaussian, cosines those of the discrete cosine transform. The
    images are the network's, made small; a fourth of them judges.
    """
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    some = cells(net, data, PIXELS, seed)
    order = generator(seed, "shares").permutation(len(some.train))
    counts = sorted({max(round(len(order) * one), 2) for one in shares})
    firsts = (LEARNED, "random", *dict.fromkeys(banks))
    found: dict[tuple[str, int], Judged] = {}
    for name, many in steps([(name, many) for name in firsts for many in counts], "trainings"):
        part = replace(some, train=some.train[torch.from_numpy(np.sort(order[:many]))])
        module = seeded(partial(made, name, some, seed), seed)
        found[name, many] = fitted(module, part, rules)
    meta = Meta(
        found={"trained on": len(some.train), "judged on": len(some.test)},
        notes=(Note("choice", f"images of {some.maps.shape[2]} × {some.maps.shape[3]} pixels"),),
    )
    lines = [_line(name, counts, found) for name in firsts]
    return Study(
        _findings(found, counts), {"images": Curve(tuple(lines), "training images")}, {}, {"networks": _table(found)},
        meta, {"filters": _pictures({name: one.module for (name, many), one in found.items() if many == counts[-1]})},
    )  # fmt: skip


def made(name: str, some: Cells, seed: int) -> SmallNet:
    """With a first layer of that name: "learned", "random" or a bank."""
    classes = len(some.classes)
    if name == LEARNED:
        return SmallNet(nn.Conv2d(some.channels, _WIDTH, _SIZE, padding=_SIZE // 2, bias=False), _WIDTH, classes)
    if name == "random":
        drawn = generator(seed, "filters").standard_normal((_WIDTH, some.channels, _SIZE, _SIZE))
        filters = torch.from_numpy(drawn / np.sqrt((drawn**2).sum((1, 2, 3), keepdims=True))).float()
    else:
        filters = bank(name, some.channels, _SIZE)
    return SmallNet(FixedConv(filters), len(filters), classes)


def _line(name: str, counts: list[int], found: dict[tuple[str, int], Judged]) -> Line:
    values = np.array([found[name, many].accuracy for many in counts])
    style: Literal["dashed", "line"] = "dashed" if name in (LEARNED, "random") else "line"
    return Line(name, np.array(counts, float), values[:, 0], values[:, 1], "accuracy", style)


def _table(found: dict[tuple[str, int], Judged]) -> Table:
    rows = []
    for (name, many), one in found.items():
        less, error = one.cost(found[LEARNED, many])
        weights = sum(p.numel() for p in one.module.parameters())
        rows.append((name, many, *one.accuracy, -less, error, weights))
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    return Table(columns, _HELP, (), ("accuracy",), errors={"accuracy": "error", "gain": "gain error"})


def _pictures(modules: dict[str, nn.Module]) -> Pictures:
    """The filters of each first layer, gray where they are 0."""
    pixels, names = [], []
    for name, module in modules.items():
        first = module.first if isinstance(module, SmallNet) else module
        filters = first.filters if isinstance(first, FixedConv) else first.weight
        if not isinstance(filters, Tensor):
            continue
        filters = filters.detach()
        three = filters if filters.shape[1] == 3 else filters[:, :1].expand(-1, 3, -1, -1)
        shade = 0.5 + 0.5 * three / three.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
        framed = torch.nn.functional.pad(shade[:16], (1, 1, 1, 1), value=1.0)
        blank = torch.ones_like(framed[:1]).expand(-len(framed) % 4, -1, -1, -1)  # four in a row
        tiles = torch.cat([framed, blank]).unflatten(0, (-1, 4))
        wide = tiles.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
        names.append(name)
        pixels.append(np.ascontiguousarray((wide * 255).round().byte().numpy()))
    return Pictures(tuple(pixels), tuple(names), columns=min(len(pixels), 6))


def _findings(found: dict[tuple[str, int], Judged], counts: list[int]) -> tuple[str, ...]:
    told = []
    for many in dict.fromkeys((counts[0], counts[-1])):
        own = {name: one for (name, number), one in found.items() if number == many}
        best = max((name for name in own if name not in (LEARNED, "random")), key=lambda name: own[name].accuracy[0])
        less, error = own[best].cost(own[LEARNED])
        told.append(f"{many} images: {best} {own[best].accuracy[0]:.3f}, learned {own[LEARNED].accuracy[0]:.3f} "
                    f"(gain {-less:.3f} ± {error:.3f}), fixed at random {own['random'].accuracy[0]:.3f}")  # fmt: skip
    return tuple(told)
