"""Figures of boxes from overlaps that are given: pictures with several cases, in whatever order they come."""

from __future__ import annotations

import numpy as np

from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.judged import Judged
from pellucid.evaluation.located import Measured
from pellucid.evaluation.rules import Boxes
from pellucid.result import Table

PICTURES = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 5, 6, 7])
LABELS = tuple("abcabcabcabc")
OVERLAPS = np.random.default_rng(7).random((3, 12, 5))
"""Of three methods, twelve cases and five thresholds."""


def table(order: list[int]) -> Table:
    """Of the cases in this order; pictures are numbered as they come."""
    numbers = {one: k for k, one in enumerate(dict.fromkeys(PICTURES[order].tolist()))}
    names = tuple(f"{PICTURES[i]}: {LABELS[i]}" for i in order)
    judged = Judged(Explainers.of("gradient,grad_cam,lrp"), names, OVERLAPS[:, order])
    groups = np.array([numbers[int(PICTURES[i])] for i in order])
    labels = tuple(LABELS[i] for i in order)
    found = Measured(judged, {"boxes": OVERLAPS[:, order]}, labels, groups, np.zeros(12, bool), 0)
    return Boxes(5, largest=False).answer(found)[1]["boxes"]


def test_intervals_and_tests_of_box_accuracy_do_not_depend_on_the_order_of_the_pictures() -> None:
    first = table(list(range(12)))
    assert all(low < middle < high for low, middle, high in
               zip(first["low"], first["box_accuracy"], first["high"], strict=True))  # fmt: skip
    for seed in range(3):
        pictures = np.random.default_rng(seed).permutation(8)
        other = table([int(i) for one in pictures for i in np.flatnonzero(one == PICTURES)])
        assert other.columns == first.columns


def test_the_accuracy_is_that_of_the_best_threshold_of_each_overlap() -> None:
    found = table(list(range(12)))
    for k, name in enumerate(("gradient", "grad_cam", "lrp")):
        best = [max(np.mean(OVERLAPS[k, :, t] >= least) for t in range(5)) for least in (0.3, 0.5, 0.7)]
        assert np.isclose(found["box_accuracy"][found["method"].index(name)], np.mean(best))
