"""Decision trees that stand in for a network, with what its units see, and how one image comes through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Parting:
    """An image of which a proxy says something else than the network. `shown` is the row of its picture."""

    image: str
    network: str
    proxy: str
    label: str | None
    shown: int


@dataclass(frozen=True, eq=False)
class DecisionTree(Result):
    """M nodes, the root first and each before its children.

    `parents` (M,) are −1 of the root, and `sides` the answers that lead to a node: "no" and "yes", or empty.
    `questions` are what a node asks, empty of a leaf, and `answers` what is answered there: of a leaf its class.
    `shares` (M,) of the images that judge the proxy come through a node, and `agreement` (M,) is the share of these of
    which the network says the same; NaN where none comes. `pictures` (P, side, side, 3) are small, `shown` (M, K)
    those of a node, −1 where it has fewer: what the units of its question are most excited by, or images that end in a
    leaf.
    """

    parents: Int[np.ndarray, " m"]
    sides: tuple[str, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    shares: Float[np.ndarray, " m"]
    agreement: Float[np.ndarray, " m"]
    pictures: UInt8[np.ndarray, "p side side 3"]
    shown: Int[np.ndarray, "m k"]
    walk: Float[np.ndarray, " m"] | None = None
    """(M,) with which probability one image comes to each node, where it was asked."""
    walked: str = ""
    """The name of that image; its picture is the last of all."""
    heights: Float[np.ndarray, " m"] | None = None
    """(M,) the distance at which the classes below a node were joined, 0 of a leaf; where they were."""
    parted: tuple[Parting, ...] = ()
    """Images that judge the proxy, and of which it says something else than the network; the surest of these first."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        return f"DecisionTree({len(self.leaves)} leaves, {len(self)} nodes)"

    def __len__(self) -> int:
        """How many nodes."""
        return len(self.parents)

    def __getitem__(self, name: str) -> Table:
        """The table of that name."""
        if name not in self.tables:
            raise KeyError(f"no table {name!r}: the tree has {', '.join(self.tables)}")
        return self.tables[name]

    @property
    def leaves(self) -> tuple[int, ...]:
        """The numbers of its leaves."""
        inside = set(self.parents.tolist())
        return tuple(m for m in range(len(self)) if m not in inside)

    def children(self, node: int) -> tuple[int, ...]:
        """The nodes right below one."""
        return tuple(np.flatnonzero(self.parents == node).tolist())

    def way(self, node: int) -> tuple[str, ...]:
        """What is asked from the root to a node, with the answers: "act2:7 > 0.3: yes"."""
        found = list[str]()
        while (above := int(self.parents[node])) >= 0:
            found.append(f"{self.questions[above]}: {self.sides[node]}".rstrip(": "))
            node = above
        return tuple(reversed(found))

    def describe(self) -> dict[str, Any]:
        """As every result, and its tables as tables."""
        return super().describe() | {"tables": {name: table.describe() for name, table in self.tables.items()}}
