"""Lottery tickets: few weights that train as well as all, if they start from the numbers that they had."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.learning.experiment import Experiment
from pellucid.learning.masks import prunable, spread
from pellucid.learning.tickets import KINDS, Kind, chased
from pellucid.learning.train import Recipe
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.curve import Style
from pellucid.result.table import Cell
from pellucid.resume import measured_at
from pellucid.rng import Seed

_LR = 1e-3
_ABOUT = {
    "kind": "ticket: the weights that stay start from their first values; new weights: they are drawn anew; random "
    "mask: as many of each layer stay, any of them, from their first values",
    "round": "number of times that weights were taken away",
    "kept": "share of the weights of convolutions and linear layers that stay",
    "weights": "number of them",
    "accuracy": "share of the held-out images that are right after training, mean of the repetitions",
    "± accuracy": "its standard error: over the repetitions, or where that is larger of a share over so many images",
    "train accuracy": "share of the training images that are right, mean of the repetitions",
}


@method(
    "Lottery tickets",
    purpose="few weights that train as well as all of them",
    shows=(
        "A ticket is a small share of the weights that trains as well as all. Where it beats new first values, those "
        "matter, and where it beats a random mask, the choice does. It is known only after the whole network has been "
        "trained, and saves no time. Copies with new weights are trained on few images, so nothing follows for the "
        "weights that the network has. 50 trainings of 30 epochs on 600 images: 25 for each of two seeds."
    ),
    source="Frankle & Carbin 2019, section 2 and figure 1 (the lottery ticket hypothesis)",
    over="all",
    resumable=True,
    quick={"rounds": 1, "epochs": 1, "repeats": 1, "samples": 32},
)
def lottery_tickets(
    net: Net,
    data: Data,
    *,
    rounds: Annotated[int, Field(ge=1, le=100, description="number of times that weights are taken away")] = 8,
    pruned: Annotated[
        float, Field(gt=0, lt=1, description="share of the weights left in each layer that go in a round")
    ] = 0.35,
    epochs: Annotated[int, Field(ge=1, le=10**5, description="number of epochs of each training")] = 30,
    samples: Annotated[int, Field(ge=8, le=10**6, description="number of images to train on, drawn at random")] = 600,
    repeats: Annotated[int, Field(ge=1, le=100, description="number of seeds")] = 2,
    seed: Seed = 0,
) -> Study:
    """Iterative magnitude pruning with rewinding: one row for each kind and round (`tickets`).

    Copies of the network with new weights (He et al. 2015) are trained; in each layer the smallest weights go, those
    that stay are put back to their first values, and it is trained again. Of the layer that makes the classes half that
    share goes, as in the paper; biases and norms stay. Two controls with as many weights in each layer say what the
    ticket owes to what: the same mask with new first values, and another mask. Adam with a learning rate of 0.001,
    batches of 32. The held-out images are as many others of the data, or a fourth of it where there are not enough.
    The network itself is left as it is. Raises Refused for a network without such weights.
    """
    experiment = Experiment.of(net, data, samples, seed)
    recipe = Recipe(epochs=epochs, optimizer="adam", lr=_LR)
    asked = [seed + which for which in range(repeats)]

    def measured(at: tuple[float, ...]) -> Floats:
        return chased(experiment, recipe, rounds, pruned, asked[int(at[0])])

    numbers = experiment.resumed(f"tickets {rounds} {pruned} {seed}", recipe, measured)
    found = np.stack(measured_at(numbers, [(float(which),) for which in range(repeats)], "seeds"))
    total = sum(one.numel() for one in prunable(net)[0].values())
    rows = [_row(kind, number, found[:, number, k], total, experiment)
            for k, kind in enumerate(KINDS) for number in range(rounds + 1) if number or not k]  # fmt: skip
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    held = {"shown": len(experiment.given), "held out": len(experiment.test), "prunable": total}
    text = f"trained on {held['shown']} images, {held['held out']} held out; {total:,} weights may go; seeds: {repeats}"
    return Study(_said(rows, experiment), {"accuracy": _curve(rows)}, {}, {"tickets": table},
                 Meta(found=held, notes=(Note("reading", text),)))  # fmt: skip


def _row(kind: Kind, number: int, values: Floats, total: int, experiment: Experiment) -> dict[str, Cell]:
    kept, accuracy, given = values.mean(0).tolist()
    error = max(spread(values[:, 1].tolist()) / math.sqrt(len(values)), experiment.error(accuracy))
    return dict(zip(_ABOUT, (kind, number, kept, round(kept * total), accuracy, error, given), strict=True))


def _curve(rows: Sequence[Mapping[str, Cell]]) -> Curve:
    lines = []
    for kind in KINDS:
        own = [row for row in rows if row["kind"] == kind or not row["round"]][::-1]
        points, values, errors = (np.array([float(row[name] or 0) for row in own])
                                  for name in ("kept", "accuracy", "± accuracy"))  # fmt: skip
        style: Style = "line" if kind == "ticket" else "dashed"
        lines.append(Line(kind, points, values, errors, "held-out accuracy", style, kind))
    return Curve(tuple(lines), "share of the weights kept")


def _said(rows: Sequence[Mapping[str, Cell]], experiment: Experiment) -> tuple[str, ...]:
    def number(row: Mapping[str, Cell], name: str) -> float:
        return float(row[name] or 0)

    if nothing := experiment.unlearned(number(rows[0], "accuracy")):
        return (nothing,)
    whole, own = rows[0], [row for row in rows if row["kind"] == "ticket" and row["round"]]
    enough = [row for row in own if number(row, "accuracy") >= number(whole, "accuracy") - 2 * math.hypot(
        number(row, "± accuracy"), number(whole, "± accuracy"))]  # fmt: skip
    base = f"the accuracy of all weights, {number(whole, 'accuracy'):.1%}"
    said = [
        f"a ticket of {number(enough[-1], 'kept'):.1%} of the weights trains to {number(enough[-1], 'accuracy'):.1%}, "
        f"within the error of {base}"
        if enough
        else f"no ticket reaches {base}"
    ]
    there = {kind: {row["round"]: row for row in rows if row["kind"] == kind} for kind in KINDS}
    for kind in KINDS[1:]:
        gap = {k: number(there["ticket"][k], "accuracy") - number(row, "accuracy") for k, row in there[kind].items()}
        widest = max(gap, key=lambda k: gap[k])
        one, other = there["ticket"][widest], there[kind][widest]
        sure = gap[widest] > 2 * math.hypot(number(one, "± accuracy"), number(other, "± accuracy"))
        what = {"new weights": "the first values matter", "random mask": "it matters which weights stay"}[kind]
        said.append(
            f"{what}: with {number(one, 'kept'):.1%} kept the ticket has {number(one, 'accuracy'):.1%}, "
            f"{kind} {number(other, 'accuracy'):.1%}"
            if sure
            else f"{kind}: no difference from the ticket beyond the errors, {gap[widest]:+.1%} at most"
        )
    return tuple(said)
