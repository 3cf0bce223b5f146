"""Prototypes: few images that stand for many, and criticisms: those that they stand for worst."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result, one_of_many
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Group:
    """P prototypes and C criticisms of `total` images, in the order in which they were chosen.

    `weights` (P,) are what each prototype counts for, `coverage` (P,) the share of the images that it is nearest to,
    and `mmd2` (P,) how far the first 1, 2, … P of them are from all. `stood_for` (P, K) are the images nearest to a
    prototype of those that it stands for, −1 where there are fewer, and `purity` (P,) the share of all of these that
    has the prototype's class (None where that is unknown). `witness` (C,) is by how much the prototypes stand for too
    little (above 0) or too much (below) around a criticism, and `beside` (C,) the number of the prototype nearest.
    """

    name: str
    total: int
    images: Int[np.ndarray, " p"]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    weights: Float[np.ndarray, " p"]
    coverage: Float[np.ndarray, " p"]
    mmd2: Float[np.ndarray, " p"]
    purity: tuple[float | None, ...]
    pictures: UInt8[np.ndarray, "p side side 3"]
    stood_for: Int[np.ndarray, "p k"]
    small: UInt8[np.ndarray, "p k small small 3"]
    criticisms: Int[np.ndarray, " c"]
    criticism_names: tuple[str, ...]
    criticism_labels: tuple[str, ...]
    criticism_pictures: UInt8[np.ndarray, "c side side 3"]
    witness: Float[np.ndarray, " c"]
    beside: Int[np.ndarray, " c"]

    def __len__(self) -> int:
        """How many prototypes."""
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Prototypes(Result):
    """For each of N groups of images, such as classes, its prototypes and criticisms; `table` has a row for each group.

    `space` is what images are compared by. Numbers of images are those in the index.
    """

    groups: tuple[Group, ...]
    table: Table
    space: str
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = ("groups",)

    def __repr__(self) -> str:
        some = ", ".join(f"{len(one)} of {one.total} images: {one.name}" for one in self.groups[:3])
        return f"Prototypes({some}{' …' if len(self) > 3 else ''})"

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, i: int) -> Prototypes:
        """Those of group i alone."""
        one = one_of_many(i, len(self), "result")
        rows = {name: values[one] for name, values in self.table.columns.items()}
        table = Table(rows, self.table.column_help, meta=self.table.meta)
        return self.alone(i, table=table, findings=(), meta=self.meta)

    def derived(self) -> dict[str, Any]:
        """Prototypes and criticisms by name."""
        return {"prototypes": {one.name: one.names for one in self.groups},
                "criticisms": {one.name: one.criticism_names for one in self.groups}}  # fmt: skip
