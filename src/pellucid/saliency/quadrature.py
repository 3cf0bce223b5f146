"""Where gradients are taken on a way: the nodes of a quadrature, and finer edges where a sum is wrong."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal

import numpy as np

Rule = Literal["gauss_legendre", "midpoint", "trapezoid"]


def rule(steps: int, quadrature: Rule) -> tuple[list[float], list[float]]:
    """Nodes in 0..1 and weights that sum to 1."""
    if quadrature == "gauss_legendre":
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        return ((nodes + 1) / 2).tolist(), (weights / 2).tolist()
    if quadrature == "midpoint" or steps == 1:
        return [(i + 0.5) / steps for i in range(steps)], [1 / steps] * steps
    ends = [0.5 if i in (0, steps - 1) else 1.0 for i in range(steps)]
    return [i / (steps - 1) for i in range(steps)], [end / (steps - 1) for end in ends]


def finer(edges: Sequence[float], wrong: np.ndarray, cells: int) -> list[float]:
    """The edges of more cells: the worst is halved again and again.

    A jump in the gradient leaves a cell's error to one half, and there it is halved: a quarter for each is the
    mean. A little is added in proportion to width, so that no cell is believed for ever because it was right once.
    """
    widths = np.diff(edges)
    doubt = wrong + 0.1 * wrong.sum() * widths + np.finfo(float).tiny * widths
    queue = [(-d, a, b) for d, a, b in zip(doubt.tolist(), edges, edges[1:], strict=False)]
    heapq.heapify(queue)
    while len(queue) < cells:
        d, a, b = heapq.heappop(queue)
        heapq.heappush(queue, (d / 4, a, (a + b) / 2))
        heapq.heappush(queue, (d / 4, (a + b) / 2, b))
    return [*sorted(a for _, a, _ in queue), edges[-1]]
