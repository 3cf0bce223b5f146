"""Every image on its way through the hierarchy of classes, and how the nodes decide for all of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.progress import steps
from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.surrogates.joined import Joined
from pellucid.training_set.examples import Examples

_AT_ONCE, _ROWS = 2_000_000, 200
"""Numbers of a table of decisions, and rows of the table of nodes."""
_DECISIONS = {
    "image": "of the index",
    "network": "the network's answer",
    "soft": "class with the largest product of the softmaxes along its way",
    "p": "that product",
    "hard": "class at which the likelier child of every node ends",
    "label": "its class, where it is known",
}
_NODES = {
    "node": "classes below it, the one in their middle named",
    "classes": "how many",
    "one": "its first child",
    "other": "its second child",
    "height": "Ward's distance between both",
    "follows": "share of the images that the network answers with a class below it, of which it decides for that side",
    "images": "how many these are",
}


def decided(
    joined: Joined, logits: Float[np.ndarray, "n c"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """((N,) the soft answers, how probable, (N,) the hard ones), some images at a time."""
    piece = max(_AT_ONCE // (2 * joined.root + 1), 1)
    found = []
    for start in steps(range(0, len(logits), piece), "images"):
        part = logits[start : start + piece]
        soft = joined.soft(part)
        found.append((soft.argmax(1), soft.max(1), joined.hard(part)))
    return tuple(np.concatenate(one) for one in zip(*found, strict=True))  # type: ignore[return-value]


def ordered(joined: Joined) -> tuple[NDArray[np.int64], dict[int, int]]:
    """(the nodes, the root first and each before its children; where each of them is)."""
    order, stack = list[int](), [joined.root]
    while stack:
        node = stack.pop()
        order.append(node)
        if node >= joined.classes:
            stack += reversed(joined.children(node))
    return np.array(order), {node: m for m, node in enumerate(order)}


def shares(joined: Joined, answers: Int[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
    """(M,) of the images that the network answers with a class below each node."""
    count = np.bincount(answers, minlength=joined.classes)
    return np.array([count[inside].sum() for inside in joined.below]) / max(len(answers), 1)


def agreed(joined: Joined, soft: Int[np.ndarray, " n"], answers: Int[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
    """(M,) of these images the share of which the tree's answer is below the same node."""
    both = np.zeros((joined.classes, joined.classes), np.int64) if joined.classes <= 64 else None
    if both is not None:
        np.add.at(both, (answers, soft), 1)
        pairs = [(both[inside].sum(), both[np.ix_(inside, inside)].sum()) for inside in joined.below]
    else:
        pairs = []
        for inside in joined.below:
            there = np.isin(answers, inside)
            pairs.append((int(there.sum()), int(np.isin(soft[there], inside).sum())))
    return np.array([hit / count if count else np.nan for count, hit in pairs])


def sides(
    joined: Joined, logits: Float[np.ndarray, "n c"], answers: Int[np.ndarray, " n"]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """((C − 1,) the images whose answer is below each joining node, of how many it decides for that side)."""
    many, right = np.zeros(len(joined.pairs), np.int64), np.zeros(len(joined.pairs), np.int64)
    for j in range(len(joined.pairs)):
        one, other = (joined.below[k] for k in joined.children(joined.classes + j))
        rows = np.flatnonzero(np.isin(answers, joined.below[joined.classes + j]))
        first = logits[np.ix_(rows, one)].mean(1) >= logits[np.ix_(rows, other)].mean(1)
        many[j], right[j] = len(rows), int((first == np.isin(answers[rows], one)).sum())
    return many, right


def node_table(
    joined: Joined, names: tuple[str, ...], follows: tuple[NDArray[np.int64], NDArray[np.int64]],
    order: NDArray[np.int64],
) -> Table:  # fmt: skip
    """From the root down, those with the largest distance first."""
    rows: list[tuple[Cell, ...]] = []
    inner = sorted((int(node) for node in order if node >= joined.classes), reverse=True)
    for node in inner[:_ROWS]:
        j = node - joined.classes
        one, other = joined.children(node)
        many, right = int(follows[0][j]), int(follows[1][j])
        rows.append((
            joined.called(node, names), len(joined.below[node]), joined.called(one, names), joined.called(other, names),
            float(joined.heights[j]), right / many if many else None, many,
        ))  # fmt: skip
    return Table(dict(zip(_NODES, zip(*rows, strict=True), strict=True)), _NODES, (), ("follows",))


def image_table(examples: Examples, soft: NDArray[np.int64], p: NDArray[np.float64], hard: NDArray[np.int64]) -> Table:
    """Every image, in the order of the index."""
    names = examples.classes
    columns: tuple[tuple[Cell, ...], ...] = (
        examples.names, tuple(names[i] for i in examples.answers), tuple(names[i] for i in soft), tuple(p.tolist()),
        tuple(names[i] for i in hard), tuple(examples.class_name(int(i)) for i in examples.labels),
    )  # fmt: skip
    return Table(dict(zip(_DECISIONS, columns, strict=True)), _DECISIONS)
