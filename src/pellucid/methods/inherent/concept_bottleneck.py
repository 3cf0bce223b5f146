"""Concept bottleneck: classes that are told from concepts alone, which a person may correct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError
from pellucid.interpretable.annotated import ConceptsOption, ConceptTable
from pellucid.interpretable.bottlenecks import Lesson, Order, concept_accuracy, corrected, learned, whitened
from pellucid.interpretable.cells import Cells, Judged, cells, fitted, plain_head, seen
from pellucid.interpretable.compared import PLAIN, table
from pellucid.interpretable.special import Bottleneck
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import LayerName, Net
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Pictures, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_DEFAULT = {"epochs": 40, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=40")
_SHOWN, _FACTS, _LEAK = 4, 4, 0.05
_ABOUT = {
    "concepts": "mean share of the held-out images of which a concept is right",
    "corrected": "accuracy once all concepts are set right",
    "leaks": "whether it knows more than its concepts say: more right than the ceiling, or fewer once they are right",
}
_AXES = {
    "concept": "with its value",
    "channel": "AUROC of the best single channel of the layer, chosen on the training images",
    "axis": "AUROC of the concept's axis after concept whitening",
}


@method(
    "Concept bottleneck",
    purpose="classes told from concepts alone, which may be corrected",
    shows=(
        "Follow each curve: setting concepts right must help. Where it harms, or where more is right than true "
        "concepts allow (the ceiling), the concepts carry more than their names say. An honest bottleneck is right "
        "about concepts as well; read the costs beside their errors. Concepts of classes are taken as true of each "
        "image, which an image may not show. One pass over the images, and six short trainings of heads."
    ),
    source="Koh et al. 2020, section 3 and figure 4; Mahinpei et al. 2021, section 3 (leakage); Chen, Bei & Rudin "
    "2020, section 3 (whitening)",
    over="all",
    quick={"recipe": "epochs=3"},
)
def concept_bottleneck(
    net: Net,
    data: NewTask,
    *,
    concepts: Annotated[
        ConceptsOption,
        Field(
            description="table of concepts: a CSV file with a row for each class or image, or {name: {concept: value}}",
            examples=["concepts.csv"],
        ),
        Shell(value="FILE"),
    ],
    layer: Annotated[
        LayerName | None,
        Field(description="layer that concepts are read from"),
        Default("the last layer with maps"),
    ] = None,
    strengths: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(min_length=1, description="weights of the concepts' loss in joint training"),
    ] = (1.0, 0.1, 0.0),
    order: Annotated[Order, Field(description="concepts that are set right first")] = "uncertain",
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=40,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """x -> concepts -> classes on the means of a layer: `networks` has one row for each way to train.

    Independent: classes are learned from true concepts; sequential: from those that are predicted; joint: both at
    once, with cross entropy + strength · the concepts' loss. Then the concepts of held-out images are set right, one
    after another, and the curve says how many classes are right. The ceiling is what anybody could have right who
    knows true concepts alone. `axes` says of each value of a concept how well one number tells it: the best channel,
    and its axis once the layer is whitened and turned towards the concepts, which changes nothing that a linear layer
    could not undo. Raises PellucidError for an image without concepts.
    """
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    some = cells(net, data, layer, seed)
    lesson = _lesson(some, data, concepts)
    found: dict[str, Judged] = {PLAIN: fitted(seeded(lambda: plain_head(some), seed), some, rules)}
    ways = [("independent", 0.0), ("sequential", 0.0), *(("joint", one) for one in strengths)]
    heads, after = dict[str, Bottleneck](), dict[str, list[Judged]]()
    for way, strength in steps(ways, "trainings"):
        name = way if way != "joint" else f"joint, strength {strength:g}"
        heads[name] = learned(lesson, way, strength, rules, 0)
        after[name] = corrected(heads[name], lesson, order, seed)
        found[name] = after[name][0]
    ceiling = lesson.ceiling()
    leaks = {name: _leaks(each, ceiling) for name, each in after.items()}
    more: dict[str, list[Cell]] = {
        "concepts": [None, *(float(concept_accuracy(one, lesson).mean()) for one in heads.values())],
        "corrected": [None, *(each[-1].accuracy[0] for each in after.values())],
        "leaks": [None, *leaks.values()],
    }
    meta = Meta(found={"layer": some.layer, "ceiling": ceiling, "trained on": len(some.train)})
    return Study(
        _findings(found, after, leaks, ceiling), {"corrections": _curve(after)}, {},
        {"networks": table(found, more, _ABOUT), "axes": _axes(lesson, concepts)}, meta,
        {"concepts": _pictures(net, data, some, lesson, heads["independent"], concepts)},
    )  # fmt: skip


def _lesson(some: Cells, data: NewTask, concepts: ConceptTable) -> Lesson:
    names, labels = [data.name(int(i)) for i in some.numbers], [some.classes[int(k)] for k in some.labels]
    known = concepts.of_images(names, labels)
    sizes = tuple(len(one) for one in concepts.values())
    if min(sizes) < 2:
        raise PellucidError(f"concept {concepts.concepts[sizes.index(1)]!r} has one value alone: it tells nothing")
    return Lesson.of(some, known, sizes)


def _leaks(each: list[Judged], ceiling: float) -> bool:
    first = each[0].accuracy[0]
    return first > ceiling + _LEAK or each[-1].accuracy[0] < first - _LEAK


def _curve(after: Mapping[str, list[Judged]]) -> Curve:
    lines = list[Line]()
    for name, each in after.items():
        shares = np.array([one.accuracy for one in each])
        lines.append(Line(name, np.arange(len(each), dtype=float), shares[:, 0], shares[:, 1], "accuracy"))
    return Curve(tuple(lines), "concepts set right")


def _axes(lesson: Lesson, concepts: ConceptTable) -> Table:
    every = [(f"{concepts.concepts[k]}: {value}", k, v)
             for k, own in enumerate(concepts.values()) for v, value in enumerate(own)]  # fmt: skip
    told = whitened(lesson, every[: lesson.rows.shape[1]])
    rows = [
        (name, *(None if np.isnan(one) else one for one in pair))
        for (name, _, _), pair in zip(every[: len(told)], told, strict=True)
    ]
    return Table(dict(zip(_AXES, zip(*rows, strict=True), strict=True)), _AXES, plot_columns=("channel", "axis"))


def _pictures(
    net: Net, data: NewTask, some: Cells, lesson: Lesson, head: Bottleneck, concepts: ConceptTable
) -> Pictures:
    rows = some.test[:_SHOWN]
    with torch.no_grad():
        given = head.concepts(lesson.rows[rows])
        answers = head.to_classes(given).argmax(1)
        own = [(given * lesson.true[rows]).split(lesson.sizes, -1)[k].sum(1) for k in range(len(lesson.sizes))]
    facts = {f"p({concepts.concepts[k]})": tuple(map(float, own[k])) for k in range(min(_FACTS, len(own)))}
    pixels = tuple(seen(net, data, int(some.numbers[i])) for i in rows)
    return Pictures(pixels, tuple(some.classes[int(k)] for k in answers), facts, columns=len(rows))


def _findings(
    found: Mapping[str, Judged], after: Mapping[str, list[Judged]], leaks: Mapping[str, bool], ceiling: float
) -> tuple[str, ...]:
    told = [f"{name}: accuracy {each[0].accuracy[0]:.3f}, {each[-1].accuracy[0]:.3f} with all concepts set right"
            for name, each in after.items()]  # fmt: skip
    leaking = [name for name, one in leaks.items() if one]
    return (
        f"the plain twin has {found[PLAIN].accuracy[0]:.3f}; true concepts allow {ceiling:.3f}", *told,
        f"concepts carry more than they say in {'; '.join(leaking)}" if leaking else "no bottleneck leaks",
    )  # fmt: skip
