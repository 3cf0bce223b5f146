"""Constraints: heads without negative weights, that can only rise, or with few active units, beside a plain one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default
from pellucid.interpretable.cells import Cells, Judged, cells, fitted, seen
from pellucid.interpretable.compared import PLAIN, courses, said, table
from pellucid.interpretable.heads import ABOUT, KINDS, WINNERS, drawn_units, measured, penalty_of
from pellucid.interpretable.sparse import Head
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import LayerName, Net
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Pictures, Study
from pellucid.result.table import Cell
from pellucid.rng import Seed

_DEFAULT = {"epochs": 40, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=40")
_UNITS = 6


@method(
    "Constraints",
    purpose="heads that only rise, or are sparse, beside a plain one",
    shows=(
        "Read what each constraint costs beside its error: a cost within two errors is none that these images show. "
        "Violations of the rising heads are 0 by bounds, which is a proof, and by samples, which is a test; the plain "
        "head shows that both find some. A sparse head is no clearer by itself: compare what its units are strongest "
        "for. Only heads are trained, on means over places (or all pixels). One pass over the images, ten trainings."
    ),
    source="Chorowski & Zurada 2015, section 2; Sivaraman et al. 2020, section 2; Makhzani & Frey 2014, section 2.1; "
    "Hoyer 2004, equation 4",
    over="all",
    quick={"recipe": "epochs=3"},
)
def constraints(
    net: Net,
    data: NewTask,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer that the heads stand on, or pixels"),
        Default("the last layer with maps"),
    ] = None,
    hidden: Annotated[int, Field(ge=2, le=4096, description="number of hidden units")] = 32,
    strengths: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(min_length=1, description="weights of the mean Σ |activation| of an image in the loss"),
    ] = (0.001, 0.01, 0.1),
    samples: Annotated[int, Field(ge=1, le=10**6, description="number of pairs of points that are compared")] = 10_000,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=40,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Heads of one hidden layer, trained alike on what a layer gives: `heads` has one row for each.

    "non-negative" has weights W = raw² ≥ 0, "rising" positive weights and half of its units mirrored, so that
    every class's score can only rise with every input; "L1" adds a loss on activations, "winners" keeps the k largest.
    Violations by bounds are the derivatives by an input, of all classes in 16 boxes around held-out images, that
    cannot be shown to be 0 or more; those by samples are pairs of points in which a score falls although inputs rise.
    Three fourths of the images are trained on. Nothing of the network is changed.
    """
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    found = cells(net, data, layer, seed)
    some = found.flat()
    heads: dict[str, Judged] = {}
    asked: list[tuple[str, str, float]] = [(name, name, 0.0) for name in KINDS]
    asked += [(f"L1, strength {one:g}", PLAIN, one) for one in strengths]
    asked += [(f"{k} winners", f"{WINNERS}{k}", 0.0) for k in sorted({max(hidden // 16, 1), max(hidden // 4, 1)})]
    for name, kind, strength in steps(asked, "trainings"):
        head = seeded(partial(Head.made, kind, some.channels, len(some.classes), hidden), seed).centered(
            some.maps[some.train]
        )
        heads[name] = fitted(head, some, rules, penalty_of(strength))
    rows = [measured(one.module, some, samples, seed) for one in heads.values()]
    more: Mapping[str, list[Cell]] = {name: [row[name] for row in rows] for name in ABOUT}
    meta = Meta(found={"layer": found.layer, "trained on": len(some.train), "judged on": len(some.test)})
    return Study(
        _findings(heads, rows, samples),
        {"strength": _strengths(heads, rows, asked), "training": courses(heads)},
        {},
        {"heads": table(heads, more, ABOUT)},
        meta,
        {"units": _units(net, data, found, some, {name: heads[name] for name in (PLAIN, "non-negative")})},
    )


def _strengths(heads: Mapping[str, Judged], rows: list[dict[str, Cell]], asked: list[tuple[str, str, float]]) -> Curve:
    """Accuracy and sparseness over the strength of L1; 0 is the plain head."""
    own = [(0.0, PLAIN), *((one, name) for name, kind, one in asked if kind == PLAIN and name != PLAIN)]
    own.sort()
    at = np.array([one for one, _ in own])
    place = {name: i for i, name in enumerate(heads)}
    shares = np.array([heads[name].accuracy for _, name in own])
    sparse = np.array([float(rows[place[name]]["sparseness"] or np.nan) for _, name in own])
    return Curve(
        (Line("accuracy", at, shares[:, 0], shares[:, 1], "accuracy, sparseness"),
         Line("sparseness", at, sparse, None, "accuracy, sparseness", "dashed")), "strength of L1",
    )  # fmt: skip


def _units(net: Net, data: NewTask, found: Cells, some: Cells, heads: Mapping[str, Judged]) -> Pictures:
    """The strongest units of each head: weights over pixels, or the training image that excites a unit most."""
    pixels, names, values = [], list[str](), list[float]()
    for name, one in heads.items():
        if not isinstance(one.module, Head):
            continue
        with torch.no_grad():
            activity = one.module.hidden(some.maps[some.train].flatten(1))
        for unit in activity.mean(0).argsort(descending=True, stable=True)[:_UNITS].tolist():
            best = int(activity[:, unit].argmax())
            drawn = drawn_units(one.module, found, unit)
            pixels.append(seen(net, data, int(found.numbers[found.train[best]])) if drawn is None else drawn)
            names.append(f"{name}, unit {unit}")
            values.append(float(activity[best, unit]))
    return Pictures(tuple(pixels), tuple(names), {"activation": tuple(values)}, columns=min(_UNITS, len(pixels) // 2))


def _findings(heads: Mapping[str, Judged], rows: list[dict[str, Cell]], samples: int) -> tuple[str, ...]:
    by = dict(zip(heads, rows, strict=True))
    rising = [name for name in ("non-negative", "rising") if by[name]["violations"] == 0]
    proved = " and ".join(rising) or "no head"
    counted = ", ".join(f"{name} {by[name]['falls']} of {samples:,}" for name in (PLAIN, "non-negative", "rising"))
    told = [said(heads, name) for name in ("non-negative", "rising")]
    sparse = max((one for one in by if one not in KINDS), key=lambda one: float(by[one]["sparseness"] or 0))
    return (
        *told, f"no violation by interval bounds: {proved}; of the plain head {by[PLAIN]['violations']} derivatives "
        "may be below 0", f"pairs of points in which a score falls: {counted}",
        f"the sparsest head is {sparse}: sparseness {float(by[sparse]['sparseness'] or 0):.2f}, accuracy "
        f"{heads[sparse].accuracy[0]:.3f}",
    )  # fmt: skip
