"""The integral of the gradient on a way from a baseline to an image: by a rule, or refined where it is wrong.

A way is cut into cells; in each of them the gradient is taken at one node and multiplied by how far the pixels move.
What a cell should sum to is known, the change of the score between its ends: that tells where to look closer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.net import Net
from pellucid.saliency.backward import backward, chunks
from pellucid.saliency.integrals import Integral
from pellucid.saliency.quadrature import Rule, finer, rule
from pellucid.target import Target, scored

FIRST = 8
"""Cells of the first round; each further round has twice as many."""


@dataclass(frozen=True, eq=False)
class Path:
    """Images between a baseline and an image, and the question asked of each.

    `at` takes places (n,) in 0..1 to images (n, C, H, W) in float64: 0 is the baseline, 1 the image. `like`
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
            run = self.net.run(self._shown(portion), layers=self.target.layers)
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


def straight(start: Float[Tensor, "1 c h w"], end: Float[Tensor, "1 c h w"]) -> Callable[[Tensor], Tensor]:
    """The straight way."""
    begin, step = start.double(), end.double() - start.double()
    return lambda places: begin + places.to(begin.device).view(-1, 1, 1, 1) * step


def by_rule(path: Path, steps: int, quadrature: Rule) -> Integral:
    """Gradients at the nodes of a quadrature; a node's cell is as wide as its weight."""
    nodes, weights = rule(steps, quadrature)
    share, _ = path.shares(nodes, [0.0, *np.cumsum(weights)[:-1].tolist(), 1.0])
    low, high = path.scores([0.0, 1.0])
    return Integral(share, high, high - low, steps, asked=path.target)


def refined(path: Path, most: int, tolerance: float | int) -> Integral:
    """Rounds of 8, 16, 32 … gradients, the cells cut where their sums are wrong, until the whole is right.

    Right is a sum within `tolerance` × the change of the score, and not by luck: errors of single cells cancel,
    so what they would leave with signs thrown by a coin, √Σ error², must be within the tolerance too. Each
    round starts afresh: what is kept is one map, not one for each cell. `most` bounds the gradients of all rounds.
    """
    edges = np.linspace(0, 1, min(FIRST, most) + 1).tolist()
    moved, before, spent = None, None, 0
    while True:
        share, sums = path.shares([(a + b) / 2 for a, b in pairwise(edges)], edges)
        scores = path.scores(edges)
        spent += len(sums)
        wrong = np.array(sums) - np.diff(scores)
        change = scores[-1] - scores[0]
        if before is not None:
            size = float(share.abs().sum())
            moved = float((share - before).abs().sum()) / size if size else 0.0
        bound = tolerance * abs(change)
        after = min(2 * len(sums), most - spent)
        if (abs(wrong.sum()) <= bound and math.hypot(*wrong) <= bound) or after <= len(sums):
            return Integral(share, scores[-1], change, spent, moved, path.target)
        edges, before = finer(edges, np.abs(wrong), after), share
