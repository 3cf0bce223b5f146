"""Tables: named columns of numbers and words, a row for each thing that was examined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.result.base import Meta, Result

Cell = float | int | str | bool | None


@dataclass(frozen=True, eq=False)
class Table(Result):
    """Rows of values under named columns; `column_help` says what each column means, `findings` are one-line
    conclusions for the reader.

    None stands for what is not known. `plot_columns` names the columns that a picture shows as bars, in order;
    `highlighted` are the rows that a person should look at; `errors` names, for pictured columns that have one, the
    column
    of their standard errors.
    """

    columns: Mapping[str, tuple[Cell, ...]]
    column_help: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    plot_columns: tuple[str, ...] = ()
    highlighted: tuple[int, ...] = ()
    meta: Meta = field(default_factory=Meta)
    errors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")

    def __repr__(self) -> str:
        return f"Table({len(self)} rows of {', '.join(self.columns)})"

    def __len__(self) -> int:
        """How many rows."""
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, column: str) -> tuple[Cell, ...]:
        """One column."""
        if column not in self.columns:
            raise KeyError(f"no column {column!r}: the table has {', '.join(self.columns)}")
        return self.columns[column]

    @property
    def rows(self) -> tuple[dict[str, Cell], ...]:
        """Row by row."""
        return tuple(dict(zip(self.columns, row, strict=True)) for row in zip(*self.columns.values(), strict=True))

    def describe(self) -> dict[str, Any]:
        """As every result, with `rows` in place of columns."""
        said = super().describe()
        columns = said.pop("columns")
        return said | {"rows": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}
