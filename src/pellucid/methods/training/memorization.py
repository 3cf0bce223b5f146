"""Memorization: does the network fit labels that mean nothing, and how much slower than true ones?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.learning.experiment import SERIES, Experiment, finite, series
from pellucid.learning.meaningless import KINDS, Kind, changed
from pellucid.learning.train import Recipe, train
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Curve, Line, Mark, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.resume import measured_at
from pellucid.rng import Seed

FITTED = 0.99
_ABOUT = {
    "kind": "what was changed: half or all of the labels drawn anew; the pixels of all images moved by one "
    "permutation; images of noise with the mean and standard deviation of the true ones",
    "epochs": "number of epochs until 99 % of the training images are right; unknown where it never came to that",
    "slower": "these epochs over those with true labels",
    "train accuracy": "share of the training images with the answer of the labels that were given, at the end",
    "accuracy": "share of the held-out images with the right answer, at the end; their labels are the true ones",
    "± accuracy": "its standard error: of a share over so many images",
    "train loss": "mean loss over the training images at the end, in nats",
}


@method(
    "Memorization of random labels",
    purpose="how fast a network fits random labels, beside true ones",
    shows=(
        "A network that fits random labels can learn its training images by heart, so that few errors on them say "
        "nothing of others. It does not follow that it does so with true labels: compare how many epochs each kind "
        "takes. These depend on learning rate and batch, and on the seed, of which there is only one. Five trainings "
        "of copies with new weights, of at most 150 epochs on 1,000 images."
    ),
    source="Zhang et al. 2017, section 2 and figure 1 (understanding deep learning requires rethinking generalization)",
    over="all",
    resumable=True,
    quick={"epochs": 2, "samples": 32},
)
def memorization(
    net: Net,
    data: Data,
    *,
    kinds: Annotated[
        tuple[Kind, ...],
        Field(
            min_length=1,
            description="changes of the data to train with: true labels, half random, random labels, shuffled pixels, "
            "noise images",
        ),
    ] = KINDS,
    epochs: Annotated[int, Field(ge=1, le=10**5, description="number of epochs after which training ends")] = 150,
    lr: Annotated[float, Field(gt=0, le=1, description="learning rate of Adam, step per unit of gradient")] = 1e-3,
    samples: Annotated[int, Field(ge=8, le=10**6, description="number of images to train on, drawn at random")] = 1000,
    seed: Seed = 0,
) -> Study:
    """Copies of the network with new weights, trained on true and on meaningless data: one row for each kind (`kinds`).

    All start from the same weights (He et al. 2015), and end when 99 % of the training images have the answer of the
    labels that were given, or after `epochs`. A random label is any class of the training images, also the true one. A
    network that fits random labels has a capacity with which a low training error says nothing about others: these are
    answered by chance. Adam, batches of 32, no augmentation, no weight decay; dropout acts if the network has it. The
    held-out images are as many others of the data, or a fourth of it where there are not enough; their pixels are
    changed alike, their labels never. The network itself is left as it is.
    """
    experiment = Experiment.of(net, data, samples, seed)
    recipe = Recipe(epochs=epochs, optimizer="adam", lr=lr, until=FITTED, seed=seed)

    def measured(at: tuple[float, ...]) -> Floats:
        given, test = changed(experiment.given, experiment.test, KINDS[int(at[0])], seed)
        found = train(experiment.fresh(seed), given, recipe, test=test, objective=experiment.objective)
        return series(found)

    numbers = experiment.resumed("memorization", recipe, measured)
    asked = list(dict.fromkeys(kinds))
    places = [(float(KINDS.index(kind)),) for kind in asked]
    found = dict(zip(asked, measured_at(numbers, places, "trainings"), strict=True))
    rows = [_row(kind, found, experiment) for kind in asked]
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    held = {"shown": len(experiment.given), "held out": len(experiment.test), "chance": experiment.chance}
    text = f"trained on {held['shown']} images of {len(experiment.classes)} classes, {held['held out']} held out"
    notes = (Note("reading", f"{text}; one seed: others differ by some epochs"),)
    return Study(_said(rows, experiment.chance, epochs), {"training": _curve(found)}, {}, {"kinds": table},
                 Meta(found=held, notes=notes))  # fmt: skip


def _row(kind: Kind, found: Mapping[Kind, Floats], experiment: Experiment) -> dict[str, Cell]:
    last = dict(zip(SERIES, found[kind][-1].tolist(), strict=True))
    needed, true = _fitted(found[kind]), _fitted(found["true labels"]) if "true labels" in found else None
    loss, accuracy = last["train_loss"], last["test_accuracy"]
    slower = needed / true if needed and true else None
    cells = (kind, needed, slower, last["train_accuracy"], accuracy, experiment.error(accuracy),
             loss if math.isfinite(loss) else None)  # fmt: skip
    return dict(zip(_ABOUT, cells, strict=True))


def _fitted(values: Floats) -> int | None:
    """The first epoch after which 99 % of the training images are right."""
    right = np.flatnonzero(values[:, 1] >= FITTED)
    return int(right[0]) if len(right) else None


def _curve(found: Mapping[Kind, Floats]) -> Curve:
    lines = [
        Line(kind, np.arange(float(len(values))), finite(values[:, column]), None, quantity, group=kind)
        for quantity, column in (("accuracy on the given labels", 1), ("held-out accuracy", 3))
        for kind, values in found.items()
    ]
    both: tuple[Kind, ...] = ("true labels", "random labels")
    ends = {kind: _fitted(found[kind]) for kind in both if kind in found}
    marks = [Mark(epoch, f"{kind}: 99 %") for kind, epoch in ends.items() if epoch]
    return Curve(tuple(lines), "epochs", tuple(marks))


def _said(rows: Sequence[Mapping[str, Cell]], chance: float, epochs: int) -> tuple[str, ...]:
    said = []
    for row in rows:
        accuracy = float(row["accuracy"] or 0)
        end = f"held-out accuracy {accuracy:.1%}"
        if row["epochs"] is None:
            how = f"not fitted in {epochs} epoch{'s' * (epochs > 1)} ({float(row['train accuracy'] or 0):.1%})"
        else:
            slower = float(row["slower"] or 1)
            how = f"99 % fitted after epoch {row['epochs']}" + (
                f", {slower:.1f} times as long as true labels" if slower > 1 else ""
            )
        said.append(f"{row['kind']}: {how}, {end}")
        if row["kind"] == "random labels" and row["epochs"] is not None:
            far = accuracy - chance <= 2 * float(row["± accuracy"] or 0)
            also = f", and answers others no better than chance ({chance:.1%})" if far else ""
            said.insert(0, f"this network can memorize its training images: it fits random labels{also}")
    return tuple(said)
