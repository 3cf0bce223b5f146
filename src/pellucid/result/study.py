"""Studies: what was measured in several ways about one question, with the verdict in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import unknown
from pellucid.result.base import Meta, Result
from pellucid.result.curve import Curve
from pellucid.result.grid import Grid
from pellucid.result.pictures import Pictures
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Study(Result):
    """Curves, grids, tables and pictures under their names; `findings` are one-line conclusions, the most important
    first."""

    findings: tuple[str, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)
    pictures: Mapping[str, Pictures] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Study({', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Of all its parts."""
        return (*self.curves, *self.grids, *self.tables, *self.pictures)

    def __getitem__(self, name: str) -> Curve | Grid | Table | Pictures:
        """The part of that name. Raises UnknownName with the nearest."""
        for parts in (self.curves, self.grids, self.tables, self.pictures):
            if name in parts:
                found: Curve | Grid | Table | Pictures = parts[name]
                return found
        raise unknown("part of the study", name, self.names)

    def describe(self) -> dict[str, Any]:
        """As every result, and its tables as tables."""
        return super().describe() | {"tables": {name: table.describe() for name, table in self.tables.items()}}
