"""Proxies that can be read, by how large they are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from pellucid.surrogates.grown import Tree, grown
from pellucid.surrogates.mirrored import Judged, Mirrored
from pellucid.surrogates.rules import RuleList, rules_of
from pellucid.surrogates.splits import Impurity
from pellucid.surrogates.trepan import Asking


def sized(mirrored: Mirrored, kind: str, leaves: int, queries: int, seed: int) -> tuple[int, Judged]:
    """(how many numbers it holds, a tree, rules or TREPAN judged, of a tree of so many leaves at most)."""
    outside = mirrored.features[mirrored.outside].astype(np.float64)
    made = list[Tree | RuleList]()

    def proxy(rows: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        x, y = mirrored.features[rows].astype(np.float64), mirrored.answers[rows]
        asking = Asking(x, mirrored.oracle, queries, "neighbors", seed) if kind == "TREPAN" else None
        impurity: Impurity = "entropy" if asking else "gini"
        one: Tree | RuleList = grown(x, y, mirrored.classes, leaves=leaves, impurity=impurity, asking=asking)
        if kind == "rules" and isinstance(one, Tree):
            one = rules_of(one, x, y)
        made.append(one)
        return one.answers(outside)

    judged = mirrored.both(proxy)
    return size_of(made[0]), judged


def size_of(one: Tree | RuleList) -> int:
    """Numbers that it holds: of a tree two for each test, one for each question and for each leaf; of rules two for
    each test and one for each rule."""
    if isinstance(one, RuleList):
        return 2 * one.tests + len(one.rules)
    parts = sum(1 + 2 * len(question.parts) for question in one.questions if question is not None)
    return parts + len(one.leaves)
