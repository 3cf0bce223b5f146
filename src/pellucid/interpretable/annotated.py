"""Concepts of images, or of classes, as a person wrote them down."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.nouns import Noun

Row = tuple[str, ...]


@dataclass(frozen=True)
class ConceptTable(Noun):
    """What is known of each class, or of each image: `rows` by its name, a value for each of the `concepts`."""

    written, format = "CONCEPTS", "concept table"
    concepts: Row
    rows: tuple[tuple[str, Row], ...]

    @classmethod
    def of(cls, value: Any) -> ConceptTable:
        """From {class or image: {concept: value}}, or a CSV file whose first column holds the classes or images and
        whose first line the names of the concepts. PellucidError in one line."""
        if isinstance(value, ConceptTable):
            return value
        if isinstance(value, (str, Path)):
            return cls._read(Path(value).expanduser())
        if not isinstance(value, Mapping) or not value or not all(isinstance(one, Mapping) for one in value.values()):
            raise PellucidError("concepts are {class or image: {concept: value}}, or a CSV file of such rows")
        names = tuple(str(name) for name in next(iter(value.values())))
        rows = []
        for who, own in value.items():
            given = {str(name): str(one) for name, one in own.items()}
            if set(given) != set(names) or not names:
                raise PellucidError(f"concepts of {str(who)!r}: {', '.join(given) or 'none'}; those before have "
                                    f"{', '.join(names)}")  # fmt: skip
            rows.append((str(who), tuple(given[name] for name in names)))
        return cls(names, tuple(rows))

    @classmethod
    def _read(cls, path: Path) -> ConceptTable:
        try:
            with path.open(newline="", encoding="utf-8") as file:
                head, *rows = [row for row in csv.reader(file) if row]
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "no such table"
            raise PellucidError(
                f"concepts {str(path)!r}: {why}; a CSV file: classes or images, then a column for each concept"
            ) from error
        wrong = next((row for row in rows if len(row) != len(head)), None)
        if len(head) < 2 or not rows or wrong is not None:
            raise PellucidError(f"concepts {str(path)!r}: {wrong or head}: each row has a class or an image, and a "
                                "value for each concept of the first line")  # fmt: skip
        return cls(tuple(head[1:]), tuple((row[0], tuple(row[1:])) for row in rows))

    def values(self) -> tuple[Row, ...]:
        """The values of each concept that occur, sorted."""
        return tuple(tuple(sorted({row[k] for _, row in self.rows})) for k in range(len(self.concepts)))

    def of_images(self, names: Sequence[str], classes: Sequence[str]) -> Tensor:
        """(N, concepts) the number of each value, of images by their names or, where these are not in the table, by
        their classes. Raises PellucidError, naming the first that is in neither way."""
        known, values = dict(self.rows), self.values()
        found = []
        for name, label in zip(names, classes, strict=True):
            row = known.get(name, known.get(label))
            if row is None:
                raise PellucidError(f"concepts: neither {name!r} nor its class {label!r} is among "
                                    f"{', '.join(list(known)[:3])} …: each image or class has a row")  # fmt: skip
            found.append([values[k].index(one) for k, one in enumerate(row)])
        return torch.tensor(found, dtype=torch.int64)

    def __str__(self) -> str:
        return f"{', '.join(self.concepts)} of {len(self.rows)}"

    def plain(self) -> Any:
        """As a mapping."""
        return {who: dict(zip(self.concepts, row, strict=True)) for who, row in self.rows}


def _given(value: ConceptTable | str | Path | Mapping[str, Mapping[str, str | float]]) -> Any:
    """Its table; anything else as it is, for the declaration to refuse."""
    if not isinstance(value, (str, Path, Mapping)):
        return value
    try:
        return ConceptTable.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


ConceptsOption = Annotated[InstanceOf[ConceptTable], BeforeValidator(_given)]
"""An option that says what is known of classes or images."""
