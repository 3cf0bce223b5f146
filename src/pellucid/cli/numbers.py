"""A result as text that other programs read: JSON and CSV, with every number in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.cli.session import finite
from pellucid.files import write_atomically
from pellucid.result import Result, Table
from pellucid.result.serial import packed

Row = Sequence[object]


def write_json(results: Sequence[Result], path: Path) -> Path:
    """Of each result what `--json` prints of it, and its `arrays`, by name, as lists in lists."""
    found = [
        {**one.describe(), "meta": one.meta.as_dict(), "arrays": {k: v.tolist() for k, v in packed(one)[0].items()}}
        for one in results
    ]
    text = json.dumps(finite({"results": found}), default=str, allow_nan=False)
    return write_atomically(path, lambda file: file.write(text.encode("utf-8", "surrogateescape") + b"\n"))


def write_csv(result: Result, path: Path) -> Path:
    """A table as it is; of all else a line for each number: name of the array, where in it, value."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_of_table(result) if isinstance(result, Table) else _long(result))
    return write_atomically(path, lambda file: file.write(text.getvalue().encode("utf-8", "surrogateescape")))


def _of_table(result: Table) -> Iterator[Row]:
    yield list(result.columns)
    for row in result.rows:
        yield ["" if value is None else value for value in row.values()]


def _long(result: Result) -> Iterator[Row]:
    arrays = {name: values for name, values in packed(result)[0].items() if np.asarray(values).size}
    axes = max((values.ndim for values in arrays.values()), default=0)
    yield ["array", *(f"axis{i}" for i in range(axes)), "value"]
    for name, values in arrays.items():
        rest: list[Any] = [""] * (axes - values.ndim)
        for place in np.ndindex(values.shape):
            yield [name, *place, *rest, values[place].item()]
