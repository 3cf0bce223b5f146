"""What was found and where it was saved, told to whoever asked: files on stdout, or JSON; the rest in notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pellucid.cli.session import Session, finite
from pellucid.cli.tables import plain, table, terminal
from pellucid.draw.tables import cell
from pellucid.result import Result, Table


@dataclass(frozen=True)
class Answer:
    """What was found for one picture (None for methods without), and the files that hold it."""

    image: str | None
    result: Any
    saved: list[Path]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the numbers themselves: those are for .npz files."""
        document: dict[str, Any] = {} if self.image is None else {"image": self.image}
        document |= self.result.describe()
        document |= {"saved": [str(path) for path in self.saved], "meta": self.result.meta.as_dict()}
        return dict(finite(document))


def document(answers: Sequence[Answer]) -> dict[str, Any]:
    """What was found, as JSON has it."""
    return {"results": [answer.as_dict() for answer in answers]}


def lines(answers: Sequence[Answer]) -> None:
    """Tables, and the files that were saved, one a line."""
    for answer in answers:
        if isinstance(answer.result, Table) and not answer.saved:
            _table(answer.result)
    for path in dict.fromkeys(path for answer in answers for path in answer.saved):
        click.echo(str(path))


def report(session: Session, answers: Sequence[Answer]) -> None:
    """The files on stdout, one a line, or the JSON document."""
    session.tell(document(answers), lambda: lines(answers))


def _table(result: Table) -> None:
    """A table on stdout; what a person should know of it is said as notes."""
    rows = [[cell(value) for value in row.values()] for row in result.rows]
    if not terminal():
        plain([list(result.columns), *([("" if v is None else v) for v in row.values()] for row in result.rows)])
        return
    words = [any(isinstance(value, str) for value in values) for values in result.columns.values()]
    table([(name, "keep" if word else "right") for name, word in zip(result.columns, words, strict=True)], rows)


def remark(session: Session, title: str, result: Result, image: str) -> None:
    """What was asked and what the method has to say about its answer."""
    meta = result.meta
    parts = [image, title] if image else [title]
    if meta.target:
        parts.append(meta.target)
    if meta.score:
        parts.append(f"score {meta.score[0]:.4g}")
    session.watch.remark(" · ".join(parts))
    for said in getattr(result, "findings", ()):
        session.watch.note(said)
    for note in meta.notes:
        session.watch.note(str(note))  # once: what reading the image had to decide has been said
