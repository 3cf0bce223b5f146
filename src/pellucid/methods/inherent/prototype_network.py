"""Prototype network: a head that compares cells of an image with cells of training images."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default
from pellucid.interpretable.cells import Cells, Judged, cells, judged
from pellucid.interpretable.compared import PLAIN, courses, said, table
from pellucid.interpretable.forms import plain, trained_points, trained_prototypes
from pellucid.interpretable.prototypes import Prototypes, Pushed, coverage, push
from pellucid.interpretable.this_like_that import compared, patches
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import LayerName, Net
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_DEFAULT = {"epochs": 40, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=40")
BEFORE, AFTER, DONE = "prototypes, before the push", "after the push", "after the last layer"
_HELP = {
    "prototype": "number",
    "class": "whose it is",
    "image": "training image that it is a cell of",
    "row": "of the cell",
    "column": "of the cell",
    "moved": "distance that the push moved it, in the space that is compared, 0..√width",
    "distance": "distance to the nearest training cell of its class after the push",
    "points": "points of its own class for each unit of similarity, after the last layer was trained",
    "used": "share of the held-out images of its class to which it gives more points than its class's others",
    "copy": "whether an earlier prototype is the same cell",
}


@method(
    "Prototype network",
    purpose="a head that says: this looks like that training patch",
    shows=(
        "Each score is a sum of points: similarity to a patch of a training image times a weight. Read all accuracies: "
        "the push onto real patches costs some, and the last layer wins some back. Alike to the network need not mean "
        "alike to you, and a box is the cell's receptive field, which may see far beyond. Copies are prototypes that "
        "fell onto one cell. The features are the network's own, and are not trained. One pass over the images, three "
        "short trainings."
    ),
    source="Chen et al. 2019, sections 2.1 to 2.3; Hoffmann et al. 2021, section 3 (alike to whom)",
    over="all",
    quick={"recipe": "epochs=3"},
)
def prototype_network(
    net: Net,
    data: NewTask,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer whose cells are compared"),
        Default("the last layer with maps"),
    ] = None,
    each: Annotated[int, Field(ge=1, le=100, description="number of prototypes of each class")] = 2,
    width: Annotated[int, Field(ge=1, le=4096, description="number of values in which cells are compared")] = 32,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=40,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """d² from each prototype to the nearest of an image's cells, s = log((d² + 1) / (d² + ε)), a class's score Σ w · s:
    `prototypes` has one row for each, `networks` one for each state of the training.

    Two layers of 1 × 1 make `width` numbers in 0..1 of each cell. First they and the prototypes learn, with the cross
    entropy + .8 · cluster − .08 · separation, while w is 1 for a class's own prototypes and −½ for others. Then each
    prototype is moved onto the nearest cell of a training image of its class, and is that cell from then on. At last
    w alone is trained, with .0001 · Σ |w| of other classes. The picture shows the prototypes that gave the answer to a
    few held-out images the most points. Raises PellucidError where a class has no training image.
    """
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    some = cells(net, data, layer, seed)
    found: dict[str, Judged] = {PLAIN: plain(some, rules)}
    head = seeded(lambda: Prototypes(some.channels, len(some.classes), each, width), seed)
    found[BEFORE] = trained_prototypes(head, some, rules)
    pushed = push(head, some.maps[some.train], some.labels[some.train])
    found[AFTER] = judged(head, some)
    found[DONE] = trained_points(head, some, rules)
    again = push(head, some.maps[some.train], some.labels[some.train])
    rows = _rows(head, some, pushed, again, [data.name(int(i)) for i in some.numbers[some.train]])
    missed = _missed(head, some)
    meta = Meta(found={
        "layer": some.layer, "trained on": len(some.train), "judged on": len(some.test), "missed": missed,
    })  # fmt: skip
    pictures = {"this_looks_like_that": compared(net, data, some, head, pushed)}
    return Study(
        _findings(found, pushed, float(again.moved.max()), missed), {"training": courses(found)}, {},
        {"networks": table(found, {}, {}), "prototypes": rows}, meta,
        {**pictures, "prototypes": patches(net, data, some, head, pushed)},
    )  # fmt: skip


def _rows(head: Prototypes, some: Cells, pushed: Pushed, again: Pushed, names: list[str]) -> Table:
    with torch.no_grad():
        near = coverage(head, some.maps[some.test])
        weights = head.points.weight[head.owners, torch.arange(len(head.owners))]
    points, labels, met = near * weights, some.labels[some.test], set[tuple[int, int, int]]()
    columns: dict[str, list[Cell]] = {name: [] for name in _HELP}
    for p, owner in enumerate(head.owners.tolist()):
        own, siblings = points[labels == owner], (head.owners == owner).nonzero()[:, 0]
        cell = int(pushed.images[p]), int(pushed.rows[p]), int(pushed.columns[p])
        used = float((siblings[own[:, siblings].argmax(1)] == p).double().mean()) if len(own) else None
        row: tuple[Cell, ...] = (
            p, some.classes[owner], names[cell[0]], cell[1], cell[2], float(pushed.moved[p]), float(again.moved[p]),
            float(weights[p]), used, cell in met,
        )  # fmt: skip
        met.add(cell)
        for name, value in zip(_HELP, row, strict=True):
            columns[name].append(value)
    return Table({name: tuple(values) for name, values in columns.items()}, _HELP)


def _missed(head: Prototypes, some: Cells) -> float:
    """How far the points are from summing to the logits, at most."""
    with torch.no_grad():
        points = coverage(head, some.maps[some.test])[:, None] * head.points.weight
        return float((points.sum(2) - head(some.maps[some.test])).abs().max())


def _findings(found: dict[str, Judged], pushed: Pushed, farthest: float, missed: float) -> tuple[str, ...]:
    many = len(pushed.images)
    shares = ", ".join(f"{found[name].accuracy[0]:.3f} {name}" for name in (BEFORE, AFTER, DONE))
    return (
        f"accuracy {shares}; the plain twin {found[PLAIN].accuracy[0]:.3f}",
        said(found, DONE),
        f"{pushed.distinct} of {many} prototypes are cells of their own; the farthest from a training cell of its "
        f"class lies {farthest:.1e} away",
        f"points sum to the scores to within {missed:.0e}",
    )
