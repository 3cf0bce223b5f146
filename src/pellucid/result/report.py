"""Reports: tables about units, and beside them the patches that show what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool

from pellucid.result.base import Meta, Result
from pellucid.result.patches import Patches
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Overlap:
    """Where a unit is above its threshold in an image, and where the concept that it is compared with lies."""

    unit: Bool[np.ndarray, "height width"]
    concept: Bool[np.ndarray, "height width"]


@dataclass(frozen=True, eq=False)
class PatchRow:
    """One row of patches: their name and what was found about them.

    `columns` are shown side by side: the patches of one unit, or those of a unit and of its like in another network.
    With `overlaps`, one for each patch of the first column, whole images are shown instead, and those in them.
    """

    name: str
    findings: tuple[str, ...]
    columns: tuple[Patches, ...]
    overlaps: tuple[Overlap, ...] = ()


@dataclass(frozen=True, eq=False)
class Report(Result):
    """Several tables under their names, and strips of patches; `findings` are one-line conclusions for the reader.

    The rows of a table that matter come first. `heads` say what the columns of the strips are, where there are several.
    """

    tables: Mapping[str, Table]
    strips: tuple[PatchRow, ...] = ()
    findings: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}: {len(table)} rows" for name, table in self.tables.items())
        return f"Report({self.meta.target or self.meta.method}; {parts}; {len(self.strips)} strips)"

    def __getitem__(self, name: str) -> Table:
        """The table of that name."""
        if name not in self.tables:
            raise KeyError(f"no table {name!r}: the study has {', '.join(self.tables)}")
        return self.tables[name]

    def describe(self) -> dict[str, Any]:
        """As every result, and its tables as tables."""
        return super().describe() | {"tables": {name: table.describe() for name, table in self.tables.items()}}
