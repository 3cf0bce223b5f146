"""Frontier: how faithful proxies of every kind are, by how large they are."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.index import Index
from pellucid.index.folds.embeddings import Embeddings
from pellucid.learning.train import Recipe
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study
from pellucid.result.curve import Style
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.statistics import share_of
from pellucid.surrogates.joined import Joined
from pellucid.surrogates.linear import linear_row
from pellucid.surrogates.mirrored import Groups, Judged, Layer, Mirrored, own_rows, right, scores
from pellucid.surrogates.sized import sized
from pellucid.surrogates.students import DEFAULT, lesson_of, taught, teacher_of, weights_of

_FIDELITY, _STABILITY = "fidelity on held-out images", "stability"
_NEARLY = 0.95


@method(
    "Frontier of proxies",
    purpose="compare the size and the fidelity of all proxies",
    shows=(
        "The upper left corner is where a proxy would be small and faithful. A line that stays low however large its "
        "trees get says that this kind cannot repeat the network from these units. Size counts the numbers that a "
        "proxy holds, which is not yet what a person understands. Fits on the rows of the index, two of each proxy; "
        "of a student two trainings as well."
    ),
    source="Craven & Shavlik 1996, section 4 (fidelity and size); Breiman et al. 1984, section 2.4",
    over="all",
    quick={"leaves": (2, 4)},
)
def frontier(
    index: Index,
    *,
    layer: Layer = None,
    leaves: Annotated[
        tuple[int, ...],
        Field(
            min_length=1, max_length=20, description="numbers of leaves of the trees, and of those that rules are of"
        ),
    ] = (2, 4, 8, 16, 32, 64),
    groups: Groups = None,
    queries: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="number of inputs for each node of trees that put them to the last layer; 0: no such trees",
            examples=[1000],
        ),
    ] = 0,
    student: Annotated[
        bool, Field(description="train a small network on the softened answers as well, as distill does")
    ] = False,
    seed: Seed = 0,
) -> Study:
    """Decision trees and rules of several sizes, linear read-outs of every embedded layer and the hierarchy of classes,
    one row for each, fitted to half of the images and judged on the other half.

    The size of a tree is two numbers for each test, one for each question and one for each leaf, of rules two for each
    test and one for each rule, of a read-out its weights, of the hierarchy its nodes and the last layer whose logits
    it reads. Raises Refused for queries at a layer that the last layer does not read.
    """
    mirrored = Mirrored.of(index, layer, groups, seed)
    if queries and not mirrored.read:
        raise Refused(
            f"queries={queries} at layer={layer!r}: drawn inputs are put to the last layer, which reads "
            f"{mirrored.examples.layer!r}; leave layer= out, or queries="
        )
    found: dict[str, list[tuple[int, Judged]]] = {}
    for many in steps(sorted(set(leaves)), "sizes"):
        for kind in ("tree", "rules", *(["TREPAN"] if queries else [])):
            size, one = sized(mirrored, kind, many, queries, seed)
            if size not in [known for known, _ in found.get(kind, [])]:  # a tree whose leaves are pure grows no more
                found.setdefault(kind, []).append((size, one))
    if student:
        lesson = lesson_of(index, mirrored, teacher_of(mirrored, "own", seed))
        judged, course = taught(mirrored, lesson, Recipe(**DEFAULT, seed=seed), 4.0, 0.9)  # type: ignore[arg-type]
        found["student"] = [(weights_of(course), judged)]
    rows = [one.row(kind, size, "numbers") for kind, several in found.items() for size, one in several]
    lines = [_line(kind, several, quantity) for quantity in (_FIDELITY, _STABILITY) for kind, several in found.items()]
    for name in _read(index, mirrored):
        one, size = linear_row(Mirrored.of(index, name, groups, seed))
        called = f"linear, {one.mirrored.layer}"
        rows.append(one.row(called, size, "numbers"))
        lines += [_line(called, [(size, one)], quantity) for quantity in (_FIDELITY, _STABILITY)]
    rows.append(_joined(mirrored))
    lines.append(_point("hierarchy", rows[-1]))
    table = scores([*rows, *own_rows(mirrored)])
    told: dict[str, float | str] = {"fidelity": max(float(row[1] or 0) for row in rows), "layer": mirrored.layer}
    curve = Curve(tuple(lines), "numbers that a proxy holds")
    return Study(_said(rows, mirrored), {"size and fidelity": curve}, {}, {"scores": table},
                 Meta(found=told, notes=mirrored.notes))  # fmt: skip


def _line(name: str, several: list[tuple[int, Judged]], quantity: str) -> Line:
    sizes = np.array([size for size, _ in several], np.float64)
    order = np.argsort(sizes, kind="stable")
    if quantity == _STABILITY:
        values, errors = np.array([one.stability for _, one in several]), None
    else:
        values = np.array([one.fidelity for _, one in several])
        errors = np.array([share_of(one.faithful)[1] for _, one in several])[order]
    style: Style = "line" if len(several) > 1 else "points"
    return Line(name, sizes[order], values[order], errors, quantity=quantity, style=style, group=name)


def _point(name: str, row: tuple[Cell, ...]) -> Line:
    at, value, error = (np.array([float(row[k] or 0)]) for k in (5, 1, 2))
    return Line(name, at, value, error, quantity=_FIDELITY, style="points", group=name)


def _read(index: Index, mirrored: Mirrored) -> list[str | None]:
    """Layers that are read out linearly."""
    every = sorted(index.read_fold(Embeddings).layers, key=index.layers.index) if index.has(Embeddings) else []
    return [*every, *([None] if mirrored.examples.layer not in every else [])]


def _joined(mirrored: Mirrored) -> tuple[Cell, ...]:
    """The row of the hierarchy of classes, by soft decisions; of groups whether its class lies in the group."""
    examples = mirrored.examples
    joined = Joined.of(examples.weight, examples.bias)
    said = np.concatenate([joined.soft(examples.logits[[i]]).argmax(1) for i in mirrored.outside.tolist()])
    said = said if mirrored.groups is None else mirrored.groups[said]
    share, error = share_of(said == mirrored.answers[mirrored.outside])
    size = joined.root + 1 + examples.weight.size + len(examples.bias)
    return "hierarchy, soft", share, error, right(said, mirrored), None, size, "numbers"


def _said(rows: list[tuple[Cell, ...]], mirrored: Mirrored) -> tuple[str, ...]:
    best = max(rows, key=lambda row: float(row[1] or 0))
    enough = [row for row in rows if float(row[1] or 0) >= _NEARLY * float(best[1] or 0)]
    small = min(enough, key=lambda row: int(row[5] or 0))
    trees = max((row for row in rows if row[0] in ("tree", "rules", "TREPAN")), key=lambda row: float(row[1] or 0))
    said = [
        f"the most faithful proxy is {best[0]}: it says what the network says of {float(best[1] or 0):.1%} of "
        f"{len(mirrored.outside)} images that it was not fitted to, with {best[5]} numbers",
        f"the most faithful one that can be read is {trees[0]} with {trees[5]} numbers: {float(trees[1] or 0):.1%}",
    ]
    if small is not best and small is not trees:
        near = f"the smallest within {_NEARLY:.0%} of the best is {small[0]} with {small[5]} numbers"
        said.append(f"{near}: {float(small[1] or 0):.1%}")
    return tuple(said)
