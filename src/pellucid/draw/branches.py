"""Which nodes of a tree are drawn, and in which order: of a large one the branches that matter, the rest folded."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from pellucid.result import DecisionTree


@dataclass(frozen=True, eq=False)
class Branches:
    """The nodes that are drawn: `inner` ones, each before those below it, and `leaves` from top to bottom."""

    inner: tuple[int, ...]
    leaves: tuple[int, ...]
    children: dict[int, tuple[int, ...]]
    """Of the inner ones."""
    depth: dict[int, int]
    folded: bool
    """Whether some leaves stand for several."""


def branches_of(result: DecisionTree, most: int) -> Branches:
    """At most so many leaves, opening what holds most first: the largest distance, or the most images; but the way of
    the image that was asked is opened to its end."""
    below: dict[int, list[int]] = {}
    for m, parent in enumerate(result.parents.tolist()):
        below.setdefault(parent, []).append(m)
    worth = result.shares if result.heights is None else result.heights
    opened, ends = set[int](), 1
    if result.walk is not None:
        at = max(result.leaves, key=result.walk.tolist().__getitem__)
        while (at := int(result.parents[at])) >= 0:
            opened.add(at)
            ends += len(below[at]) - 1
    waiting = [(-float(worth[0]), 0)] if 0 in below else []
    while waiting:
        _, m = heapq.heappop(waiting)
        if m not in opened:
            if ends + len(below[m]) - 1 > most:
                continue
            opened.add(m)
            ends += len(below[m]) - 1
        for child in below[m]:
            if child in below:
                heapq.heappush(waiting, (-float(worth[child]), child))
    inner, leaves, depth = list[int](), list[int](), {0: 0}
    stack = [0]
    while stack:
        m = stack.pop()
        if m not in opened:
            leaves.append(m)
            continue
        inner.append(m)
        ordered = sorted(below[m], key=lambda k: result.sides[k] != "yes") if "yes" in result.sides else below[m]
        for child in ordered:
            depth[child] = depth[m] + 1
        below[m] = ordered
        stack += reversed(ordered)
    children = {m: tuple(below[m]) for m in inner}
    return Branches(tuple(inner), tuple(leaves), children, depth, any(m in below for m in leaves))
