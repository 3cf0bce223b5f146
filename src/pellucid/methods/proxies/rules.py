"""Rules: short rules on units that repeat what a network answers, with pictures of what their units see."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.patches import exciting, patches
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, PatchRow, Report, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.surrogates.asked import unit_name
from pellucid.surrogates.grown import grown
from pellucid.surrogates.mirrored import Groups, Judged, Layer, Mirrored, own_rows, scores
from pellucid.surrogates.rules import RuleList, rules_of

_UNITS, _PATCHES = 6, 5
"""Units that are pictured, and patches of each."""
_HELP = {
    "if": "tests of units that all hold; else: what no rule holds for",
    "then": "what is answered",
    "tests": "how many",
    "coverage": "share of the held-out images that it holds for",
    "precision": "share of these of which the network says the same",
    "decides": "share of the held-out images that no rule before it holds for, so that it answers",
    "right": "share of the labeled ones that it holds for and that are of that class",
}


@method(
    "Rules",
    purpose="write short rules that repeat the network's answers",
    shows=(
        "Each rule stands by itself: its precision says how often the network agrees where it holds, on images that it "
        "was not made from. Rules that cover much and are precise tell what the network goes by in this layer; the "
        "last ones cover few images and say little. Other rules on other units may do as well: see the stability. No "
        "pass through the network beyond those for pictures."
    ),
    source="Quinlan 1987, section 3 (from trees to rules); Breiman et al. 1984, section 2.4",
    over="all",
    quick={"leaves": 4},
)
def rules(
    index: Index,
    *,
    layer: Layer = None,
    leaves: Annotated[
        int, Field(ge=2, le=1000, description="number of leaves at most of the tree that rules are made from")
    ] = 12,
    groups: Groups = None,
    seed: Seed = 0,
) -> Report:
    """Rules from the ways of a decision tree to its leaves, one row for each, made from half of the images and judged
    on the other half.

    Tests of one unit in one direction are merged, tests left out that cost a rule no precision on the images that it
    is made from, and rules sorted by how many images they hold for. The first that holds answers. Patches show what
    the units of the first rules are most excited by, where the index has the layer's units. Raises PellucidError for a
    layer that is not embedded.
    """
    mirrored = Mirrored.of(index, layer, groups, seed)
    made: list[RuleList] = []
    outside = mirrored.features[mirrored.outside].astype(np.float64)

    def proxy(rows: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        x, y = mirrored.features[rows].astype(np.float64), mirrored.answers[rows]
        made.append(rules_of(grown(x, y, mirrored.classes, leaves=leaves), x, y))
        return made[-1].answers(outside)

    judged = mirrored.both(proxy)
    found = made[0]
    parts, _ = judged.parted()
    table = _table(found, mirrored, outside)
    tables = {
        "rules": table,
        "scores": scores([judged.row("rules", found.tests, "tests"), *own_rows(mirrored)]),
        "parted": parts,
    }
    reading = Note("reading", f"a test compares the mean of a unit's map in {mirrored.layer!r} with a threshold")
    told: dict[str, float | str] = {"fidelity": judged.fidelity, "stability": judged.stability, "layer": mirrored.layer}
    return Report(tables, _strips(index, found, mirrored), _said(found, table, judged), (),
                  Meta(found=told, notes=(*mirrored.notes, reading)))  # fmt: skip


def _table(found: RuleList, mirrored: Mirrored, outside: NDArray[np.float64]) -> Table:
    answers, labels = mirrored.answers[mirrored.outside], mirrored.labels[mirrored.outside]
    decides, rows = found.decides(outside), list[tuple[Cell, ...]]()
    for k, rule in enumerate(found.rules):
        held = rule.holds(outside) if rule.tests else decides == k
        known = held & (labels >= 0)
        rows.append((
            rule.written(mirrored.layer), mirrored.names[rule.answer], len(rule.tests), float(held.mean()),
            float((answers[held] == rule.answer).mean()) if held.any() else None, float((decides == k).mean()),
            float((labels[known] == rule.answer).mean()) if known.any() else None,
        ))  # fmt: skip
    return Table(dict(zip(_HELP, zip(*rows, strict=True), strict=True)), _HELP, (), ("coverage", "precision"))


def _strips(index: Index, found: RuleList, mirrored: Mirrored) -> tuple[PatchRow, ...]:
    """What the units of the first rules see, in the order in which they are asked about."""
    layer = mirrored.layer
    if layer not in index or index[layer].channels != mirrored.features.shape[1] or not index.n_kept:
        return ()
    asked: dict[int, list[str]] = {}
    for rule in found.rules:
        for one in rule.tests:
            says = f"{'high' if one.above else 'low'} for {mirrored.names[rule.answer]}"
            asked.setdefault(one.feature, []).append(says)
    strips = []
    for feature, said in list(asked.items())[:_UNITS]:
        unit = Unit(layer, feature)
        seen = patches(index, unit, exciting(index, unit, min(_PATCHES, index.n_kept)))
        strips.append(PatchRow(unit_name(layer, feature), tuple(dict.fromkeys(said))[:4], (seen,)))
    return tuple(strips)


def _said(found: RuleList, table: Table, judged: Judged) -> tuple[str, ...]:
    mirrored = judged.mirrored
    chance = float(own_rows(mirrored)[1][1] or 0)
    best = max(
        table.rows, key=lambda row: bool(row["tests"]) * float(row["coverage"] or 0) * float(row["precision"] or 0)
    )
    return (
        f"{len(found.rules) - 1} rules with {found.tests} tests say what the network says of {judged.fidelity:.1%} of "
        f"{len(mirrored.outside)} images that they were not made from; the most frequent answer alone of {chance:.1%}",
        f"if {best['if']}, it is {best['then']}: holds for {best['coverage']:.1%}, and there the network agrees on "
        f"{float(best['precision'] or 0):.1%}",
        f"rules made from images drawn anew answer the same of {judged.stability:.1%}",
    )
