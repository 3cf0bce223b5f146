"""Tree: a decision tree on units that repeats what a network answers, as far as it does."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.index import Index
from pellucid.notes import Note
from pellucid.result import DecisionTree, Meta
from pellucid.rng import Seed
from pellucid.surrogates.asked import unit_name, written
from pellucid.surrogates.grown import Tree, grown
from pellucid.surrogates.linear import linear_row
from pellucid.surrogates.mirrored import Groups, Judged, Layer, Mirrored, own_rows, scores
from pellucid.surrogates.pictured import Pictured, padded
from pellucid.surrogates.splits import Impurity
from pellucid.surrogates.trepan import Asking, Draws

_PICTURES, _PARTED = 3, 8
"""Pictures of a node, and of images of which the tree says something else."""


@method(
    "Decision tree",
    purpose="grow a decision tree that repeats the network's answers",
    shows=(
        "Read the fidelity first: the share of images that the tree was not grown on and of which it says what the "
        "network says. A short tree on units is a coarse mirror: believe a path as far as its leaf agrees, and look "
        "at the images where both part. The pictures are what the unit of a question is most excited by. Trees grown "
        "on other images ask about other units; the stability says how often they agree. No pass through "
        "the network beyond those for pictures."
    ),
    source="Breiman et al. 1984, section 2.4 (CART); Craven & Shavlik 1996 (TREPAN, with queries)",
    over="all",
    quick={"leaves": 4},
)
def tree(
    index: Index,
    *,
    layer: Layer = None,
    leaves: Annotated[int, Field(ge=2, le=1000, description="number of leaves at most")] = 12,
    groups: Groups = None,
    queries: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="number of inputs for each node, drawn and put to the last layer where fewer images reach it; "
            "0: images alone, and a question asks about one unit",
            examples=[1000],
        ),
    ] = 0,
    draws: Annotated[
        Draws,
        Field(description="inputs that are drawn: between neighboring images, or each unit by itself (marginals)"),
    ] = "neighbors",
    seed: Seed = 0,
) -> DecisionTree:
    """A decision tree on the units of an embedded layer, grown on half of the images to give the network's answers and
    judged on the other half: (K,) nodes, the root first.

    A unit's value is the mean of its map, as the index keeps it. The leaf that is asked next is the one whose question
    takes most off Gini's impurity. With `queries` it is TREPAN: the leaf that errs most is asked next, inputs are drawn
    from those that reach it and answered by the network's last layer, and a question may be that at least m of n units
    are above or below their thresholds. Raises Refused for queries at a layer that the last layer does not read.
    """
    mirrored = Mirrored.of(index, layer, groups, seed)
    if queries and not mirrored.read:
        raise Refused(
            f"queries={queries} at layer={layer!r}: drawn inputs are put to the last layer, which reads "
            f"{mirrored.examples.layer!r}; leave layer= out, or queries="
        )
    made: list[Tree] = []
    impurity: Impurity = "entropy" if queries else "gini"

    def proxy(rows: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        x = mirrored.features[rows].astype(np.float64)
        asking = Asking(x, mirrored.oracle, queries, draws, seed) if queries else None
        made.append(grown(x, mirrored.answers[rows], mirrored.classes, leaves=leaves, impurity=impurity, asking=asking))
        return made[-1].answers(mirrored.features[mirrored.outside].astype(np.float64))

    judged = mirrored.both(proxy)
    return _result(index, mirrored, made[0], judged, "TREPAN" if queries else "tree")


def _result(index: Index, mirrored: Mirrored, found: Tree, judged: Judged, name: str) -> DecisionTree:
    straight, size = linear_row(mirrored)
    table = scores([
        judged.row(name, len(found.leaves), "leaves"),
        straight.row("linear, same units", size, "weights"), *own_rows(mirrored),
    ])  # fmt: skip
    parts, rows = judged.parted()
    outside = mirrored.features[mirrored.outside].astype(np.float64)
    reached, answers = found.reached(outside), mirrored.answers[mirrored.outside]
    said = found.counts.argmax(1)
    pictured, shown = Pictured(index, mirrored), []
    for m, question in enumerate(found.questions):
        if question is None:
            there = np.flatnonzero(reached[:, m])
            there = there[np.argsort(answers[there] != said[m], kind="stable")]  # where both say the same first
            shown.append(pictured.images(mirrored.outside[there[:_PICTURES]]))
        else:
            count = _PICTURES if len(question.parts) == 1 else 1
            shown.append(tuple(p for one in question.parts[:_PICTURES] for p in pictured.unit(one.feature, count)))
    first = len(pictured.found)
    for row in rows[:_PARTED]:
        pictured.found.append(mirrored.examples.picture(int(row), 96))
    many = reached.sum(0)
    agree = np.array([(answers[reached[:, m]] == said[m]).mean() if many[m] else np.nan for m in range(len(found))])
    parents = found.parents
    sides = ("", *(("no", "yes")[int(found.children[p, 1] == m)] for m, p in enumerate(parents.tolist()) if p >= 0))
    questions = tuple("" if one is None else written(one, mirrored.layer) for one in found.questions)
    reading = Note("reading", f"a test compares the mean of a unit's map in {mirrored.layer!r} with a threshold")
    return DecisionTree(
        parents, sides, questions, tuple(mirrored.names[i] for i in said), many / len(answers), agree,
        pictured.array, padded(shown), parted=judged.partings(rows.tolist(), parts, first, _PARTED),
        tables={"scores": table, "parted": parts}, findings=_said(mirrored, found, judged, straight, name),
        meta=Meta(found={"fidelity": judged.fidelity, "stability": judged.stability, "layer": mirrored.layer},
                  notes=(*mirrored.notes, reading)),
    )  # fmt: skip


def _said(mirrored: Mirrored, found: Tree, judged: Judged, straight: Judged, name: str) -> tuple[str, ...]:
    units = {one.feature for question in found.questions if question is not None for one in question.parts}
    chance = float(own_rows(mirrored)[1][1] or 0)
    outside, kind = len(mirrored.outside), "tree" if name == "tree" else "tree with queries"
    said = [
        f"a {kind} of {len(found.leaves)} leaves says what the network says of {judged.fidelity:.1%} of {outside} "
        f"images that it was not grown on; the most frequent answer alone of {chance:.1%}, a linear read-out of the "
        f"same units of {straight.fidelity:.1%}",
        f"a second one, grown on images drawn anew, answers the same of {judged.stability:.1%}",
        f"it asks about {len(units)} of {mirrored.features.shape[1]} units: "
        + ", ".join(unit_name(mirrored.layer, one) for one in sorted(units)[:6]) + (" …" if len(units) > 6 else ""),
    ]  # fmt: skip
    if judged.accuracy is not None:
        own = float(own_rows(mirrored)[0][3] or 0)
        said.append(f"it is right about {judged.accuracy:.1%} of the labeled ones, the network about {own:.1%}")
    return tuple(said)
