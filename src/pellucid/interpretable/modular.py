"""Networks that are sums of parts, so that each part's share of a score is read off and not estimated."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.rng import generator
from pellucid.statistics import k_means


class Modular(nn.Module):
    """Logits as a sum over parts: `contributions` (N, parts, classes) sum to them with the bias, exactly."""

    bias: Tensor

    def contributions(self, x: Tensor) -> Tensor:
        """(N, parts, classes), without the bias."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return self.contributions(x).sum(1) + self.bias


class Places(Modular):
    """Maps (N, C, H, W): each cell has a small network's opinion, and the logits are the mean of all (BagNet, Brendel &
    Bethge 2019). Its parts are the cells; what lies outside a cell's field changes its opinion by nothing."""

    def __init__(self, channels: int, classes: int, hidden: int = 64) -> None:
        super().__init__()
        self.local = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, classes, 1, bias=False)
        )  # fmt: skip
        self.bias = nn.Parameter(torch.zeros(classes))

    def contributions(self, x: Tensor) -> Tensor:
        said: Tensor = self.local(x).flatten(2)
        return (said / said.shape[2]).transpose(1, 2)


class Additive(Modular):
    """Rows (N, F), or maps, whose places are averaged: a small network for each group of inputs, and the sum of what
    they say (Agarwal et al. 2021). `groups` are the numbers of the inputs of each part; no part sees another's."""

    def __init__(self, groups: list[Tensor], classes: int, hidden: int = 16) -> None:
        super().__init__()
        if not groups or any(not len(one) for one in groups):
            raise PellucidError("a part without inputs: every group has one at least")
        self.groups = groups
        self.parts = nn.ModuleList(
            nn.Sequential(nn.Linear(len(one), hidden), nn.ReLU(), nn.Linear(hidden, classes, bias=False))
            for one in groups
        )
        self.bias = nn.Parameter(torch.zeros(classes))

    def contributions(self, x: Tensor) -> Tensor:
        rows = x.mean((2, 3)) if x.dim() == 4 else x
        return torch.stack([part(rows[:, own]) for part, own in zip(self.parts, self.groups, strict=True)], 1)


def shares(contributions: Tensor) -> Tensor:
    """(parts, classes) of how much each part moves a class's score between images: the variance of its contribution
    over the sum of the variances of all; each column sums to 1."""
    spread = contributions.detach().double().var(0, correction=0)
    return spread / spread.sum(0).clamp(min=1e-300)


def alike(rows: Tensor, many: int, seed: int) -> list[Tensor]:
    """Inputs grouped by how they respond to the same images (n, F), by k-means of their standardized responses: at most
    `many` lists of numbers that together hold each input once."""
    own = rows.detach().double()
    own = (own - own.mean(0)) / own.std(0, correction=0).clamp(min=1e-9)
    numbers = k_means(own.T.numpy(), many, [generator(seed, "groups", i) for i in range(3)])
    return [torch.from_numpy(np.flatnonzero(numbers == k)) for k in np.unique(numbers)]
