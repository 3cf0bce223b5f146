"""Modular networks: scores that are sums of parts, whose shares are read off."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
import torch
from jaxtyping import UInt8
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default
from pellucid.interpretable.cells import Cells, Judged, cells, fitted, plain_head, seen
from pellucid.interpretable.compared import PLAIN, courses, said, table
from pellucid.interpretable.modular import Additive, Modular, Places, alike, shares
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import LayerName, Net
from pellucid.net.handed_on import along
from pellucid.progress import steps
from pellucid.result import Curve, Grid, Line, Meta, Pictures, Study
from pellucid.result.table import Cell
from pellucid.rng import Seed

_DEFAULT = {"epochs": 40, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=40")
_ALONG, _SHOWN = 3, 4
_ABOUT = {
    "parts": "how many parts a score is the sum of, beside the bias",
    "field": "side of what a part sees, in pixels of the network's input, the longer one; a group of units sees all",
    "missed": "the most by which the parts' contributions and the bias do not sum to a score",
    "largest": "share of a class's score that its largest part moves, mean over the classes",
}


@method(
    "Modular network",
    purpose="scores that are sums of parts, whose shares are read off",
    shows=(
        "Each score is the sum of what its parts say, so that shares are read off and need no estimate: cells of a "
        "layer, or groups of units. Read how accuracy grows with the field that a cell may see, and what each form "
        "costs against the plain twin. A share says what the part does to the score, not that it is needed. Only the "
        "heads are trained. One pass over the images for each layer, and a short training for each form."
    ),
    source="Brendel & Bethge 2019, section 2 (BagNets); Agarwal et al. 2021, section 2 (additive models)",
    over="all",
    quick={"recipe": "epochs=3"},
)
def modular(
    net: Net,
    data: NewTask,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(min_length=1, description="layers whose cells are parts, the last also for groups of its units"),
        Default("three along the network and the last with maps"),
    ] = None,
    parts: Annotated[int, Field(ge=2, le=64, description="number of groups of units that respond alike")] = 6,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=40,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Logits Σ_parts f_part(x_part) + b, a small network f for each part: `networks` has one row for each form.

    Of places: every cell of a layer has the same f, and the logits are their mean; what lies outside a cell's field
    changes its contribution by nothing. Of units: groups of units whose responses to the training images are alike, by
    k-means, each with an f of its own. The grid `shares` says how much of a class's score the groups move from image
    to image, variances that sum to 1. The picture shows what each cell adds to the answer to held-out images: red for
    it, blue against it.
    """
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    given = tuple(layers or _chosen(net))
    found: dict[str, Judged] = {}
    more: dict[str, list[Cell]] = {name: [None] for name in _ABOUT}
    points, last = list[tuple[float, float, float]](), None
    for name in steps(given, "layers"):
        some = last = cells(net, data, name, seed)
        head: Modular = seeded(partial(Places, some.channels, len(some.classes)), seed)
        found[f"places of {some.layer}"] = fitted(head, some, rules)
        field = min(max(some.placement.patch), max(some.size))
        points.append((field, *found[f"places of {some.layer}"].accuracy))
        _more(more, head, some, some.maps.shape[-2:].numel(), field)
    if last is None:
        raise RuntimeError("layers= has one at least")
    groups = alike(last.rows()[last.train], min(parts, last.channels), seed)
    units = seeded(lambda: Additive(groups, len(last.classes)), seed)
    found[f"groups of units of {last.layer}"] = fitted(units, last, rules)
    _more(more, units, last, len(groups), float(max(last.size)))
    found = {PLAIN: fitted(seeded(lambda: plain_head(last), seed), last, rules), **found}
    grid = _grid(units, last)
    places = found[f"places of {last.layer}"].module
    pictures = {"contributions": _pictures(net, data, last, places)} if isinstance(places, Places) else {}
    fields, accuracies, errors = np.array(sorted(points)).T
    line = Line("places", fields, accuracies, errors, "accuracy")
    meta = Meta(found={"layers": given, "trained on": len(last.train), "judged on": len(last.test)})
    told = (*(said(found, name) for name in list(found)[-2:]), *_findings(grid))
    return Study(
        told, {"field": Curve((line,), "field, pixels"), "training": courses(found)}, {"shares": grid},
        {"networks": table(found, more, _ABOUT)}, meta, pictures,
    )  # fmt: skip


def _chosen(net: Net) -> tuple[str, ...]:
    rows = net.layers(net.size)
    last = rows.last_map()
    maps = [name for name in along(net, _ALONG) if rows[name].spatial]
    return tuple(dict.fromkeys([*maps, *([last.name] if last else [])])) or tuple(along(net, 1))


def _more(more: dict[str, list[Cell]], head: Modular, some: Cells, parts: int, field: float) -> None:
    with torch.no_grad():
        told = head.contributions(some.maps[some.test])
        missed = float((told.sum(1) + head.bias - head(some.maps[some.test])).abs().max())
    largest = float(shares(told).max(0).values.mean())
    for name, value in zip(_ABOUT, (parts, field, missed, largest), strict=True):
        more[name].append(value)


def _grid(units: Additive, some: Cells) -> Grid:
    with torch.no_grad():
        values = shares(units.contributions(some.maps[some.test])).numpy()
    rows = tuple(f"group {k}, {len(own)} units" for k, own in enumerate(units.groups))
    return Grid(values, rows, some.classes, "share of the score's variance", "part", "class")


def _pictures(net: Net, data: NewTask, some: Cells, head: Places) -> Pictures:
    pixels, names, sums = list[UInt8[np.ndarray, "h w 3"]](), list[str](), list[float]()
    originals = []
    for i in some.test[:_SHOWN].tolist():
        with torch.no_grad():
            told = head.contributions(some.maps[i : i + 1])[0]
            answer = int((told.sum(0) + head.bias).argmax())
        own = told[:, answer].unflatten(0, tuple(some.maps.shape[-2:]))
        picture = seen(net, data, int(some.numbers[i]))
        originals.append(picture)
        pixels.append(tinted(picture, own.numpy()))
        names.append(f"for {some.classes[answer]}")
        sums.append(float(own.sum()))
    return Pictures(tuple(pixels), tuple(names), {"sum": tuple(sums)}, None, {"image": tuple(originals)}, 2)


def tinted(picture: UInt8[np.ndarray, "h w 3"], values: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """A picture under a map of its cells: red where it is above 0, blue below, clear at 0."""
    rows = np.minimum(np.arange(picture.shape[0]) * values.shape[0] // picture.shape[0], values.shape[0] - 1)
    columns = np.minimum(np.arange(picture.shape[1]) * values.shape[1] // picture.shape[1], values.shape[1] - 1)
    shade = (values / max(float(np.abs(values).max()), 1e-12))[rows][:, columns, None]
    color = np.where(shade > 0, np.array([220, 30, 30]), np.array([40, 80, 220]))
    strength = 0.65 * np.abs(shade)
    gray = picture.mean(-1, keepdims=True) * np.ones(3)
    return np.asarray(((1 - strength) * gray + strength * color).round().astype(np.uint8))


def _findings(grid: Grid) -> tuple[str, ...]:
    most = grid.values.max(1)
    first = int(np.argmax(most))
    where = grid.columns[int(grid.values[first].argmax())]
    return (f"the largest share that a group of units has: {grid.rows[first]}, {most[first]:.2f} of {where}",)
