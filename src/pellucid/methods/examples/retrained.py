"""Retrained: what decisions about labels are worth, on images that were held out."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data, DataOption
from pellucid.decisions import DecisionsOption
from pellucid.described import Default, Shell
from pellucid.geometry import Floats
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, Study, Table
from pellucid.rng import Seed
from pellucid.training_set.mending import KINDS, Ground, Labels, student_interval, trained_again

_DEFAULT = {"epochs": 10, "batch": 32, "optimizer": "adam", "lr": 1e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=10")
_HELP = {
    "labels": "what was trained on",
    "images": "mean number of images that were trained on",
    "accuracy": "mean share of right answers on the images held out",
    "accuracy error": "standard error of that mean over the repeats",
    "gain": "mean of its accuracy less that with the labels as given, on the same images",
    "low": "lower end of the 95 % interval of the gain over the repeats (Student's t)",
    "high": "upper end of it",
}


@method(
    "Retrained",
    purpose="train with and without decisions about labels, and compare",
    shows=(
        "Read the gain of the mended labels and its interval beside the controls: as many images removed at random "
        "says what fewer images cost alone. Held-out images are judged by the mended labels where no test data is "
        "given, so that a wrong decision there counts as right: give test data that was checked by others. A last "
        "layer is fitted in closed form for each repeat; with what=network the architecture is trained anew each time."
    ),
    source="Northcutt, Athalye & Mueller 2021, section 5; Pleiss et al. 2020, section 4.2",
    over="all",
    quick={"repeats": 2},
)
def retrained(
    net: Net,
    data: Data,
    *,
    decisions: Annotated[
        DecisionsOption,
        Field(description="decisions.csv with image, given, decision, label", examples=["decisions.csv"]),
        Shell(value="FILE"),
    ],
    what: Annotated[
        Literal["head", "network"],
        Field(description="part that is trained: the last layer on its features, or the network from new weights"),
    ] = "head",
    test: Annotated[
        DataOption | None,
        Field(description="labeled images to judge with, other ones than those trained on"),
        Default("a fourth of the images is held out, another one each time"),
    ] = None,
    repeats: Annotated[int, Field(ge=2, le=100, description="number of trainings with each set of labels")] = 5,
    recipe: Annotated[
        RecipeOption, Field(description="training of a network, such as epochs=20,lr=0.001,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Trainings with the labels as given, as mended by the decisions, and with as many images removed at random:
    one row for each; `repeats` of each, on three fourths of the images drawn anew, the same for all three.

    The last layer is a softmax regression on what it reads, penalty 0.01, at its one optimum. A network begins from
    He's initialization and is trained by `recipe`, with Adam and a learning rate of 0.001 that falls along half a
    cosine unless it says else. The given network and the data are not changed. Raises PellucidError, naming the image,
    where decisions are about other labels than the data has.
    """
    ground = Ground.of(net, data, decisions, test, what)
    how = recipe.recipe(**_DEFAULT)
    found: dict[Labels, list[float]] = {kind: [] for kind in KINDS}
    counts: dict[Labels, list[int]] = {kind: [] for kind in KINDS}
    for repeat in steps(range(repeats), "repeats"):
        for kind, (accuracy, images) in trained_again(ground, how, seed + repeat).items():
            found[kind].append(accuracy)
            counts[kind].append(images)
    table = _table({kind: np.array(values) for kind, values in found.items()}, counts)
    judged = "test data" if test is not None else "held-out images with the mended labels"
    told: dict[str, float | int | str] = {
        "judged on": judged,
        "decided": int(ground.mended.decided.sum()),
        **decisions.counts,
    }
    notes = ground.notes if test is not None else (*ground.notes, Note("choice", f"judged on {judged}"))
    return Study(_findings(table), {}, {}, {"labels": table}, Meta(found=told, notes=notes))


def _table(found: dict[Labels, Floats], counts: dict[Labels, list[int]]) -> Table:
    rows = []
    for kind, values in found.items():
        gain = values - found["as given"]
        low, high = student_interval(gain)
        error = float(values.std(ddof=1) / np.sqrt(len(values)))
        known = kind != "as given"
        rows.append((kind, float(np.mean(counts[kind])), float(values.mean()), error,
                     *((float(gain.mean()), low, high) if known else (None, None, None))))  # fmt: skip
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    return Table(columns, _HELP, (), ("accuracy",), (), Meta(), {"accuracy": "accuracy error"})


def _findings(table: Table) -> tuple[str, ...]:
    rows = {str(row["labels"]): row for row in table.rows}
    mended, control = rows["mended"], rows["as many removed at random"]
    gain, low, high = (float(mended[name] or 0) for name in ("gain", "low", "high"))
    said = "gain accuracy" if low > 0 else "cost accuracy" if high < 0 else "change nothing that so few repeats show"
    return (
        f"the decisions {said}: {float(rows['as given']['accuracy'] or 0):.3f} as given, "
        f"{float(mended['accuracy'] or 0):.3f} mended, {gain:+.3f} ({low:+.3f} to {high:+.3f})",
        f"as many images removed at random: {float(control['gain'] or 0):+.3f}",
    )
