"""Channels of a network in the order in which they are most like another's (Ainsworth et al. 2023, section 3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from pellucid.net.channels import Group, Held
from pellucid.progress import steps
from pellucid.rng import generator

Orders = list[NDArray[np.int64]]
"""For each group, which channel comes at each place."""
PASSES = 10
"""Passes over all groups, at most; it ends when a pass changes nothing."""


def matched(a: Mapping[str, Tensor], b: Mapping[str, Tensor], groups: list[Group], seed: int) -> Orders:
    """Orders of the channels of b that make Σ ⟨a, b⟩ over all tensors as large as coordinate descent finds it.

    With all other groups held, the best order of one is a linear assignment.
    """
    orders = [np.arange(group.size) for group in groups]
    free = [k for k, group in enumerate(groups) if not group.fixed and group.size > 1]
    for number in steps(range(PASSES), "passes over the channels"):
        changed = False
        for k in generator(seed, "order", number).permutation(free).tolist():
            found = _best(a, b, groups, orders, k)
            changed |= not np.array_equal(found, orders[k])
            orders[k] = found
        if not changed:
            break
    return orders


def _best(
    a: Mapping[str, Tensor], b: Mapping[str, Tensor], groups: list[Group], orders: Orders, k: int
) -> NDArray[np.int64]:
    group = groups[k]
    likeness = np.zeros((group.size, group.size))
    for place in group.places:
        held = [
            (other, j) for j, one in enumerate(groups) for other in one.places if other.name == place.name and j != k
        ]
        value = b[place.name]
        for other, j in held:
            value = ordered(value, other, orders[j])
        rows = [_rows(one, place, group.size) for one in (a[place.name], value)]
        likeness += (rows[0] @ rows[1].T).cpu().numpy()
    return np.asarray(linear_sum_assignment(likeness, maximize=True)[1], np.int64)


def _rows(value: Tensor, place: Held, size: int) -> Tensor:
    """(size, numbers of one channel), float64."""
    return value.double().movedim(place.axis, 0).reshape(size, -1)


def ordered(value: Tensor, place: Held, order: NDArray[np.int64]) -> Tensor:
    """A tensor whose channels come in another order."""
    index = torch.from_numpy((order[:, None] * place.inner + np.arange(place.inner)).reshape(-1)).to(value.device)
    return value.index_select(place.axis, index)


def permuted(values: Mapping[str, Tensor], groups: list[Group], orders: Orders) -> dict[str, Tensor]:
    """All tensors with their channels in these orders: the same network."""
    found = dict(values)
    for group, order in zip(groups, orders, strict=True):
        for place in group.places:
            found[place.name] = ordered(found[place.name], place, order)
    return found
