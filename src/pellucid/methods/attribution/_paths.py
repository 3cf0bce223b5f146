"""The integral of the gradient on a way from a baseline to an image: by a rule, or refined where it is wrong.

A way is cut into cells; in each of them the gradient is taken at one node and multiplied by how far the pixels move.
What a cell should sum to is known, the change of the score between its ends: that tells where to look closer.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images import Images
from pellucid.methods.attribution._skeleton import Signal, as_exact_as, backward, chunks, pixel_map
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.target import Target, scored

Rule = Literal["gauss_legendre", "midpoint", "trapezoid"]
FIRST = 8
"""Cells of the first round; each further round has twice as many."""


@dataclass(frozen=True, eq=False)
class Way:
    """Pictures between a baseline and an image, and the question asked of each.

    `at` takes places (n,) in 0..1 to pictures (n, C, H, W) in float64: 0 is the baseline, 1 the image. `like`
    is the image (1, C, H, W) as the network is shown it.
    """

    net: Net
    target: Target
    at: Callable[[Tensor], Tensor]
    like: Float[Tensor, "1 c h w"]
    what: str
    known: dict[float, float] = field(default_factory=dict)
    """The scores at places where they have been asked for."""

    def scores(self, places: Sequence[float]) -> list[float]:
        """The target's score at each place."""
        new = torch.tensor([place for place in places if place not in self.known], dtype=torch.float64)
        for portion in self._portions(new, grad=False) if len(new) else ():
            run = self.net.run(self._shown(portion), at=self.target.layers)
            self.known.update(zip(portion.tolist(), scored(self.target, run).detach().double().tolist(), strict=True))
        return [self.known[place] for place in places]

    def shares(self, nodes: Sequence[float], edges: Sequence[float]) -> tuple[Tensor, list[float]]:
        """(Σ over cells of gradient at the node · way through the cell, (H, W); the sum of each cell over pixels)."""
        total, sums = torch.zeros_like(self.like[0, 0], dtype=torch.float64), []
        cells = torch.tensor([nodes, edges[:-1], edges[1:]], dtype=torch.float64).T
        for portion in self._portions(cells, grad=True):
            gradient = backward(self.net, self._shown(portion[:, 0]), self.target).gradient.double().to(total.device)
            there = self.at(torch.cat([portion[:1, 1], portion[:, 2]]))
            for share in (gradient * there.diff(dim=0)).sum(1):
                total += share
                sums.append(float(share.sum()))
        return total, sums

    def _shown(self, places: Tensor) -> Tensor:
        return self.at(places).to(self.like)

    def _portions(self, items: Tensor, *, grad: bool) -> Iterator[Tensor]:
        return chunks(items, self.net, self.what, (self.like.shape[-2], self.like.shape[-1]), grad=grad)


@dataclass(frozen=True, eq=False)
class Integral:
    """What each pixel of the image adds to the score on one way: (H, W) in float64."""

    share: Float[Tensor, "h w"]
    score: float
    change: float
    """The score of the image less that of the baseline: what the shares should sum to."""
    gradients: int
    moved: float | None = None
    """Of refined integrals: how far the last round moved the map, Σ |new − old| / Σ |new| over pixels."""
    asked: Target | None = None
    """The target as it was fixed for the image."""


def straight(start: Float[Tensor, "1 c h w"], end: Float[Tensor, "1 c h w"]) -> Callable[[Tensor], Tensor]:
    """The straight way."""
    begin, step = start.double(), end.double() - start.double()
    return lambda places: begin + places.to(begin.device).view(-1, 1, 1, 1) * step


def by_rule(way: Way, steps: int, quadrature: Rule) -> Integral:
    """Gradients at the nodes of a quadrature; a node's cell is as wide as its weight."""
    nodes, weights = rule(steps, quadrature)
    share, _ = way.shares(nodes, [0.0, *np.cumsum(weights)[:-1].tolist(), 1.0])
    low, high = way.scores([0.0, 1.0])
    return Integral(share, high, high - low, steps, asked=way.target)


def refined(way: Way, most: int, tolerance: float | int) -> Integral:
    """Rounds of 8, 16, 32 … gradients, the cells cut where their sums are wrong, until the whole is right.

    Right is a sum within `tolerance` × the change of the score, and not by luck: errors of single cells cancel,
    so what they would leave with signs thrown by a coin, √Σ error², must be within the tolerance too. Each
    round starts afresh: what is kept is one map, not one for each cell. `most` bounds the gradients of all rounds.
    """
    edges = np.linspace(0, 1, min(FIRST, most) + 1).tolist()
    moved, before, spent = None, None, 0
    while True:
        share, sums = way.shares([(a + b) / 2 for a, b in pairwise(edges)], edges)
        scores = way.scores(edges)
        spent += len(sums)
        wrong = np.array(sums) - np.diff(scores)
        change = scores[-1] - scores[0]
        if before is not None:
            size = float(share.abs().sum())
            moved = float((share - before).abs().sum()) / size if size else 0.0
        bound = tolerance * abs(change)
        after = min(2 * len(sums), most - spent)
        if (abs(wrong.sum()) <= bound and math.hypot(*wrong) <= bound) or after <= len(sums):
            return Integral(share, scores[-1], change, spent, moved, way.target)
        edges, before = finer(edges, np.abs(wrong), after), share


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


def rule(steps: int, quadrature: Rule) -> tuple[list[float], list[float]]:
    """Nodes in 0..1 and weights that sum to 1."""
    if quadrature == "gauss_legendre":
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        return ((nodes + 1) / 2).tolist(), (weights / 2).tolist()
    if quadrature == "midpoint" or steps == 1:
        return [(i + 0.5) / steps for i in range(steps)], [1 / steps] * steps
    ends = [0.5 if i in (0, steps - 1) else 1.0 for i in range(steps)]
    return [i / (steps - 1) for i in range(steps)], [end / (steps - 1) for end in ends]


def mean_of(integrals: Sequence[Integral]) -> Integral:
    """Of one image over several ways: the mean of the shares, and of the changes that they share out."""
    count = len(integrals)
    moves = [integral.moved for integral in integrals if integral.moved is not None]
    return Integral(
        sum((integral.share for integral in integrals), torch.zeros_like(integrals[0].share)) / count,
        integrals[0].score,
        sum(integral.change for integral in integrals) / count,
        sum(integral.gradients for integral in integrals),
        max(moves) if moves else None,
        integrals[0].asked,
    )


def path_map(
    net: Net,
    seen: Images,
    target: Target,
    found: Sequence[Integral],
    allowed: float | int,
    values: Tensor | None = None,
    notes: tuple[Note, ...] = (),
    **meta: Any,
) -> Heatmap:
    """A heatmap of integrals, one for each image, that tells where their sums are off by more than is `allowed`.

    `values` (N, H, W) are shown instead of the shares where a method has made something of them.
    """
    sums = [(name, one, float(one.share.sum())) for name, one in zip(seen.ids, found, strict=True)]
    errors = [abs(total - one.change) / max(abs(one.change), 1e-12) for _, one, total in sums]
    off = [
        Note("completeness", f"completeness error {error:.2%} after {one.gradients} gradients", name)
        for error, (name, one, _) in zip(errors, sums, strict=True)
        if error > allowed
    ]
    unsure = [
        Note(
            "sampling", f"single pixels are less sure than their sum: the last round moved the map by {moved:.0%}", name
        )
        for name, one, _ in sums
        if (moved := one.moved or 0) > 0.1
    ]
    scores = torch.tensor([one.score for one in found], dtype=torch.float64)
    return pixel_map(
        net,
        seen,
        target,
        as_exact_as(torch.stack([one.share for one in found]) if values is None else values, seen),
        Signal(seen.pixels, scores, {}, tuple(one.asked for one in found if one.asked is not None)),
        found={"completeness": tuple(errors)},
        notes=(*off, *unsure, *notes),
        **{"unit": target.unit_of(net), "signed": True, **meta},
    )
