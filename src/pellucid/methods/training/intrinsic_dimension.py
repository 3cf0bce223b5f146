"""Intrinsic dimension: in how few random directions must the weights move, that the task is learned?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.learning.experiment import Experiment
from pellucid.learning.masks import spread
from pellucid.learning.subspace import DENSE, Projected
from pellucid.learning.train import Recipe, train
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Curve, Line, Mark, Meta, Study, Table
from pellucid.resume import measured_at
from pellucid.rng import Seed

_SHARE = 0.9
_FASTER = 10.0  # steps of v, beside those of all weights: with fewer directions it is further to go
_ABOUT = {
    "dimension": "number d of random directions that the weights move in; the last row: all weights, each by itself",
    "accuracy": "share of the held-out images that are right after training, mean of the repetitions",
    "± accuracy": "its standard error: over the repetitions, or where that is larger of a share over so many images",
    "of full": "accuracy over that of all weights",
    "train accuracy": "share of the training images that are right, mean of the repetitions",
}


@method(
    "Intrinsic dimension",
    purpose="in how few random directions a task is learned",
    shows=(
        "The number of directions with which training reaches 90 % of the full accuracy measures how hard the task is "
        "for this architecture. It depends on the number of images, on epochs and learning rates, and says nothing of "
        "the weights that the network has: copies start from new ones. Read its bounds, which can be wide. 18 "
        "trainings of 30 epochs on 1,000 images: two for each of eight numbers of directions, and two of all weights."
    ),
    source="Li et al. 2018, sections 1 and 2 (measuring the intrinsic dimension of objective landscapes)",
    over="all",
    resumable=True,
    quick={"epochs": 1, "repeats": 1, "samples": 32},
)
def intrinsic_dimension(
    net: Net,
    data: Data,
    *,
    dimensions: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10**6)], ...],
        Field(min_length=1, description="numbers of random directions to train in"),
    ] = (10, 20, 40, 60, 80, 120, 200, 300),
    epochs: Annotated[int, Field(ge=1, le=10**5, description="number of epochs of each training")] = 30,
    lr: Annotated[
        float, Field(gt=0, le=1, description="learning rate of Adam for all weights, step per unit of gradient")
    ] = 1e-3,
    samples: Annotated[int, Field(ge=8, le=10**6, description="number of images to train on, drawn at random")] = 1000,
    repeats: Annotated[int, Field(ge=1, le=100, description="number of seeds")] = 2,
    seed: Seed = 0,
) -> Study:
    """Accuracy where only v is trained, θ = θ₀ + M v: one row for each number of directions (`dimensions`).

    θ₀ are new weights of a copy of the network (He et al. 2015), the columns of M random directions of length 1 among
    all its parameters. `meta.found["d_int90"]` is the least d with 90 % of the accuracy of all weights, interpolated
    between the d tried, and its bounds are where the curve a standard error higher and lower gets there; None where it
    does not. Adam with batches of 32 and a cosine schedule; the learning rate of v is 10 √(P/d) times that of the P
    weights, so that steps are ten times as long. The held-out images are as many others of the data, or a fourth of it
    where there are not enough. M takes P · d numbers; beyond 1 GiB it is drawn anew in every pass. The network itself
    is left as it is.
    """
    experiment = Experiment.of(net, data, samples, seed)
    recipe = Recipe(epochs=epochs, optimizer="adam", lr=lr, schedule="cosine", seed=seed)
    size = sum(p.numel() for p in experiment.fresh(seed).parameters() if p.is_floating_point())
    tried = sorted(set(dimensions))

    def measured(at: tuple[float, ...]) -> Floats:
        dimension, own = int(at[0]), seed + int(at[1])
        module = experiment.fresh(own)
        how = replace(recipe, seed=own)
        if dimension:
            module = Projected(module, dimension, own)
            how = replace(how, lr=_FASTER * lr * math.sqrt(size / dimension))
        last = train(module, experiment.given, how, test=experiment.test, objective=experiment.objective).epochs[-1]
        return np.array([last.test_accuracy, last.train_accuracy])

    numbers = experiment.resumed("intrinsic dimension", recipe, measured)
    asked = [(float(one), float(which)) for one in (*tried, 0) for which in range(repeats)]
    found = np.stack(measured_at(numbers, asked, "trainings")).reshape(-1, repeats, 2)
    rows = _rows([*tried, size], found, experiment)
    reached = [crossing(rows[:-1], shift, _SHARE * rows[-1]["accuracy"]) for shift in (0, 1, -1)]
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    held: dict[str, float | int | None] = {"shown": len(experiment.given), "held out": len(experiment.test)}
    held |= {"parameters": size, **dict(zip(("d_int90", "low", "high"), reached, strict=True))}
    return Study(_said(rows, reached, experiment), {"accuracy": _curve(rows, reached[0])}, {}, {"dimensions": table},
                 Meta(found=held, notes=_notes(held, max(tried) * size * 4, repeats)))  # fmt: skip


def _rows(dimensions: Sequence[int], found: Floats, experiment: Experiment) -> list[dict[str, float | int]]:
    full = float(found[-1, :, 0].mean())
    rows = []
    for dimension, values in zip(dimensions, found, strict=True):
        accuracy, given = values.mean(0).tolist()
        error = max(spread(values[:, 0].tolist()) / math.sqrt(len(values)), experiment.error(accuracy))
        cells = (dimension, accuracy, error, accuracy / full if full else math.nan, given)
        rows.append(dict(zip(_ABOUT, cells, strict=True)))
    return rows


def crossing(rows: Sequence[Mapping[str, float | int]], shift: float | int, wanted: float) -> float | None:
    """The least dimension at which the accuracy, moved by so many errors, is what is wanted; None where it never is.

    Between those that were tried it lies on straight lines.
    """
    points = [(float(row["dimension"]), row["accuracy"] + shift * row["± accuracy"]) for row in rows]
    for i, (place, value) in enumerate(points):
        if value >= wanted:
            if not i:
                return place
            before, lower = points[i - 1]
            return before + (place - before) * (wanted - lower) / (value - lower)
    return None


def _curve(rows: Sequence[Mapping[str, float | int]], reached: float | None) -> Curve:
    points, values, errors = (np.array([row[name] for row in rows[:-1]], np.float64)
                              for name in ("dimension", "accuracy", "± accuracy"))  # fmt: skip
    full = np.full(len(points), rows[-1]["accuracy"])
    quantity = "held-out accuracy"
    lines = (
        Line("random directions", points, values, errors, quantity),
        Line("all weights", points, full, None, quantity, "dashed"),
        Line("90 % of it", points, _SHARE * full, None, quantity, "dashed"),
    )
    marks = () if reached is None else (Mark(reached, f"d = {reached:.0f}"),)
    return Curve(lines, "random directions", marks)


def _said(
    rows: Sequence[Mapping[str, float | int]], reached: Sequence[float | None], experiment: Experiment
) -> tuple[str, ...]:
    if nothing := experiment.unlearned(rows[-1]["accuracy"]):
        return (nothing,)
    full, most, (middle, low, high) = rows[-1], rows[-2], reached
    of_all = f"90 % of the accuracy of all {full['dimension']:,} weights, {full['accuracy']:.1%}"
    if middle is None:
        best = max(row["accuracy"] for row in rows[:-1])
        return (f"{most['dimension']:,} random directions are too few for {of_all}: {best:.1%} at most",)
    bounds = f"{low or middle:.0f} to {high:.0f}" if high is not None else f"{low or middle:.0f} or more"
    return (f"{middle:.0f} random directions ({bounds}, one standard error) are enough for {of_all}",
            f"that is one for {full['dimension'] / middle:,.0f} weights")  # fmt: skip


def _notes(held: Mapping[str, float | int | None], size: int, repeats: int) -> tuple[Note, ...]:
    kept = "kept" if size <= DENSE else "drawn anew in every pass"
    text = (
        f"trained on {held['shown']} images, {held['held out']} held out; the largest M has {size / 2**20:,.0f} MiB in "
    )
    return (Note("reading", f"{text}32 bits and is {kept}; seeds: {repeats}"),)
