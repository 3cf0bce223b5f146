"""Deeper should not hurt: chains of growing depth with and without batch norm and skip connections, on given data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.images import Images
from pellucid.learning.flow import Flow, flow
from pellucid.learning.initial import initialized, own
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.objective import Tensors, held_out, images_of, objective_of
from pellucid.learning.train import Recipe, Trained, evaluated, train
from pellucid.learning.verdicts import judged
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

Variant = Literal["small", "he", "norm", "residual", "norm+residual"]
_VARIANTS: tuple[Variant, ...] = get_args(Variant)
_PROBE = 64  # images that the start is judged on
_LEARNED = 0.9  # of the loss of a network that knows nothing: a training loss below it has learned something
_ABOUT = {
    "variant": "how the chain is made: small is N(0, 0.01²), all others start from He's initialization",
    "depth": "number of hidden layers",
    "verdict": "of signal and gradient before the first step, with batch norm's statistics of the images",
    "lr": "the learning rate, of those tried, with the highest held-out accuracy",
    "train loss": "mean loss over the training images after the last epoch, in nats",
    "train accuracy": "share of the training images that are right",
    "accuracy": "share of the held-out images that are right",
    "± accuracy": "its standard error: of a share over so many images",
    "diverged": "number of the learning rates at which the loss was not finite",
}


@dataclass(frozen=True, eq=False)
class _Found:
    """The best of the trainings of one variant at one depth."""

    variant: Variant
    depth: int
    start: Flow
    lr: float
    best: Trained
    diverged: int


@method(
    "Depth, batch norm and skips",
    purpose="deeper should not hurt: chains trained on your data",
    shows="Read whether accuracy holds as the chains get deeper, and which variants bear it. The chains are fully "
    "connected, of width 64, and not your network; the best learning rate is chosen on the held-out images "
    "themselves, only one seed is trained, and a chain that fails may need a rate that was not tried. 30 "
    "trainings of 10 epochs on 800 images.",
    source="He et al. 2016, section 4.1 and figure 1; Ioffe & Szegedy 2015, section 3",
    over="all",
    quick={"epochs": 1, "samples": 32},
)
def depth(
    net: Net,
    data: Data,
    *,
    depths: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, description="numbers of hidden layers to compare")
    ] = (2, 10, 30),
    variants: Annotated[
        tuple[Variant, ...],
        Field(min_length=1, description="chains to compare: small, he, norm, residual, norm+residual"),
    ] = _VARIANTS,
    rates: Annotated[
        tuple[float, ...], Field(min_length=1, description="learning rates to try, steps per unit of gradient")
    ] = (0.003, 0.03),
    epochs: Annotated[int, Field(ge=1, le=1000, description="number of epochs of each training")] = 10,
    samples: Annotated[int, Field(ge=8, le=10**6, description="number of images to train on, drawn at random")] = 800,
    seed: Seed = 0,
) -> Study:
    """Chains of fully connected layers of width 64 trained on the data: one row for each variant and depth (`trained`).

    A deeper network can do all that a shallower one can, so that its accuracy should not fall; whether it does says how
    well signal and gradient pass. Each chain is trained by SGD with momentum 0.9 and batches of 32, once with each
    learning rate, and the best is shown. The held-out images are as many others of the data, or a fourth of it where
    there are not enough. Branches of skip connections are scaled by 1/√depth without batch norm. The network gives
    preprocessing and classes; its own accuracy on the held-out images is drawn beside, and it is left as it is.
    """
    shuffled = data.on(net).shuffled(seed)
    given, test = held_out(net, shuffled, samples)
    probe = images_of(net, shuffled.part(0, min(_PROBE, len(given))))
    asked = [(variant, layers) for variant in variants for layers in depths]
    recipes = [Recipe(epochs=epochs, lr=rate, seed=seed) for rate in rates]
    classes = max(net.outputs, int(torch.cat([given.labels, test.labels]).max()) + 1)
    found = [_tried(net, classes, *one, given, test, probe, recipes) for one in steps(asked, "networks")]
    module = own(net.module, net.name)
    own_accuracy = evaluated(module, test.like(module), objective_of(net, probe[0].pixels[:1]))[1]
    rows = [_row(one, len(test)) for one in found]
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    curves = {"accuracy over depth": _over_depth(net.name, own_accuracy, depths, rows), "training": _training(found)}
    meta = Meta(found={"shown": len(given), "held out": len(test), "own accuracy": own_accuracy})
    return Study(_findings(rows, depths, math.log(classes)), curves, {}, {"trained": table}, meta)


def _tried(
    net: Net, classes: int, variant: Variant, layers: int, given: Tensors, test: Tensors,
    probe: tuple[Images, Tensor], recipes: Sequence[Recipe],
) -> _Found:  # fmt: skip
    """Train one chain with each recipe, from the same weights."""
    size, norm, residual = given.inputs[0].numel(), "norm" in variant, "residual" in variant
    chain = seeded(lambda: MLP(size, classes, depth=layers, norm=norm, residual=residual), 0).to(given.inputs)
    module = initialized(chain, "small" if variant == "small" else "he", recipes[0].seed)
    made = Net(module, variant, net.preprocess, scores="logits")
    start = flow(made, *probe, "batch")
    trained = [train(own(module), given, recipe, test=test) for recipe in recipes]
    best = max(range(len(recipes)), key=lambda i: trained[i].epochs[-1].test_accuracy)
    return _Found(variant, layers, start, recipes[best].lr, trained[best], sum(one.diverged for one in trained))


def _row(one: _Found, held_out: int) -> dict[str, Cell]:
    last = one.best.epochs[-1]
    loss = last.train_loss if math.isfinite(last.train_loss) else None
    error = math.sqrt(last.test_accuracy * (1 - last.test_accuracy) / held_out)
    cells = (one.variant, one.depth, judged(one.start)[0].name, one.lr, loss, last.train_accuracy, last.test_accuracy,
             error, one.diverged)  # fmt: skip
    return dict(zip(_ABOUT, cells, strict=True))


def _over_depth(name: str, own_accuracy: float, depths: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> Curve:
    points, quantity = np.array(sorted(set(depths)), np.float64), "held-out accuracy"
    lines = []
    for variant in dict.fromkeys(row["variant"] for row in rows):
        some = sorted((row["depth"], row["accuracy"], row["± accuracy"]) for row in rows if row["variant"] == variant)
        _, values, errors = map(np.array, zip(*dict.fromkeys(some), strict=True))
        lines.append(Line(variant, points, values, errors, quantity, group=variant))
    lines.append(Line(name, points, np.full(len(points), own_accuracy), None, quantity, "dashed"))
    return Curve(tuple(lines), "hidden layers")


def _training(found: Sequence[_Found]) -> Curve:
    """Of the deepest chains."""
    deepest = max(one.depth for one in found)
    lines = []
    for one in found:
        if one.depth == deepest:
            values = np.append(one.start.loss, one.best.series("train_loss")[1:])  # as training meets batch norm
            values = np.where(np.isfinite(values), values, np.nan)
            lines.append(Line(one.variant, np.arange(float(len(values))), values, None, "training loss, nats"))
    return Curve(tuple(lines), f"epochs, {deepest} hidden layers")


def _findings(rows: Sequence[Mapping[str, Any]], depths: Sequence[int], start: float) -> tuple[str, ...]:
    """What depth does to each variant, the one that bears it best first."""
    low, high = min(depths), max(depths)
    said = []
    for variant in dict.fromkeys(row["variant"] for row in rows):
        at = {row["depth"]: row for row in rows if row["variant"] == variant}
        one, other = at[low]["accuracy"], at[high]["accuracy"]
        error = math.hypot(at[low]["± accuracy"], at[high]["± accuracy"])
        how = "depth hurts" if one - other > 2 * error else "depth does not hurt"
        how = how if at[low]["train loss"] and at[low]["train loss"] < _LEARNED * start else "it does not learn"
        said.append((other, f"{variant}: {how}, accuracy {one:.3f} at {low} layers and {other:.3f} at {high}"))
    if low == high:
        return tuple(f"{row['variant']}: accuracy {row['accuracy']:.3f} at {low} layers" for row in rows)
    return tuple(text for _, text in sorted(said, key=lambda pair: -pair[0]))
