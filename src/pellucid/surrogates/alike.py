"""What softened answers say about which classes are alike, beside what is confused with what."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.statistics import rank_correlation
from pellucid.training_set.alike import confusions, said_of_classes

_ROWS = 200
_PAIRS = {
    "one": "a class",
    "other": "another class",
    "similarity": "mean softened probability of each class for images of the other that are answered rightly",
    "confusions": "images of one that are answered with the other",
}
_ERRORS = {
    "image": "answered wrongly",
    "answer": "the network's answer",
    "second": "its second class",
    "label": "the true class",
    "p": "softened probability of the true class",
}


def similarity(
    soft: Float[np.ndarray, "n c"], answers: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "c c"]:
    """(C, C) symmetric: the mean softened probability of one class for images of the other that are answered rightly,
    of both directions, of one where the other has no such image; NaN where neither has."""
    return said_of_classes(np.flatnonzero(answers == labels), labels, lambda rows: soft[rows])


def confused_pairs(
    answers: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, "c c"]:
    """(C, C) symmetric: how many images of one class are answered with the other, in both directions."""
    counts = confusions(labels, answers, classes)
    return np.asarray(counts + counts.T)


def pairs(
    soft: Float[np.ndarray, "n c"], answers: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"],
    names: tuple[str, ...],
) -> tuple[Table, float]:  # fmt: skip
    """(the pairs of classes, the most alike first; Spearman correlation of similarity and confusions, all pairs)."""
    alike, confused = similarity(soft, answers, labels), confused_pairs(answers, labels, len(names))
    every = [(a, b) for a, b in combinations(range(len(names)), 2) if np.isfinite(alike[a, b])]
    values = np.array([alike[pair] for pair in every])
    counts = np.array([float(confused[pair]) for pair in every])
    order = np.argsort(-values, kind="stable")
    rows: list[tuple[Cell, ...]] = [
        (names[every[k][0]], names[every[k][1]], float(values[k]), int(counts[k])) for k in order[:_ROWS].tolist()
    ]
    columns = dict(zip(_PAIRS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(_PAIRS, ())
    correlation = rank_correlation(values, counts) if len(every) > 2 else float("nan")
    return Table(columns, _PAIRS, (), ("similarity", "confusions")), correlation


def second_right(
    soft: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """((N,) whether the answer is wrong, (N,) whether it is and the second class is the label)."""
    order = np.argsort(-soft, axis=1, kind="stable")[:, :2]
    wrong = (labels >= 0) & (order[:, 0] != labels)
    return wrong, wrong & (order[:, 1] == labels)


def errors(
    soft: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"], names: tuple[str, ...], images: tuple[str, ...]
) -> Table:
    """The images that are answered wrongly and whose second class is right, the most probable first."""
    _, found = second_right(soft, labels)
    rows = np.flatnonzero(found)
    rows = rows[np.argsort(-soft[rows, labels[rows]], kind="stable")][:_ROWS]
    order = np.argsort(-soft[rows], axis=1, kind="stable")[:, :2]
    columns: tuple[tuple[Cell, ...], ...] = (
        tuple(images[i] for i in rows), tuple(names[i] for i in order[:, 0]), tuple(names[i] for i in order[:, 1]),
        tuple(names[i] for i in labels[rows]), tuple(soft[rows, labels[rows]].tolist()),
    )  # fmt: skip
    return Table(dict(zip(_ERRORS, columns, strict=True)), _ERRORS)
