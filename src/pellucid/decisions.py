"""What a person decided about the labels of images, in a file beside the data and never in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import PellucidError, unknown
from pellucid.files import write_atomically
from pellucid.nouns import Noun

Word = Literal["accept", "reject", "relabel", "remove"]
WORDS: tuple[Word, ...] = get_args(Word)
"""accept: the suggested class is right. reject: the given one is. relabel: a third one is. remove: none is, or the
image is no example."""
COLUMNS = ("image", "given", "decision", "label")


@dataclass(frozen=True)
class Decision:
    """About one image, which has the class `given` in the data: `label` is the class that holds from now on, "" where
    the image is left out."""

    image: str
    given: str
    decision: Word
    label: str = ""

    def __post_init__(self) -> None:
        if self.decision not in WORDS:
            raise unknown("decision", self.decision, WORDS)
        if not self.image or not self.given:
            raise PellucidError(f"{self.decision!r} is about {'no image' if not self.image else 'no given class'}")
        said = f"{self.decision} of {self.image!r}"
        if self.decision == "remove" and self.label:
            raise PellucidError(f"{said} with the label {self.label!r}: what is left out has none")
        if self.decision in ("accept", "relabel") and not self.label:
            raise PellucidError(f"{said} without a label: the class that holds from now on")
        if self.decision in ("accept", "relabel") and self.label == self.given:
            raise PellucidError(f"{said} to {self.given!r}, which it has: that is to reject the suspicion")
        if self.decision == "reject" and self.label not in ("", self.given):
            raise PellucidError(f"{said} with the label {self.label!r}: the given class {self.given!r} holds")

    @property
    def holds(self) -> str:
        """The class that holds from now on; "" where the image is left out."""
        return self.given if self.decision == "reject" else self.label


@dataclass(frozen=True)
class Decisions(Noun):
    """Decisions about images, each image once, in the order in which they were made."""

    written, format, samples = "DECISIONS", "decisions", ("decisions.csv",)
    help = "decisions.csv, with a line for each image: image, given, decision, label"
    rows: tuple[Decision, ...]
    place: str = field(default="", compare=False)
    """The file that they were read from."""

    @classmethod
    def of(cls, value: DecisionsLike) -> Decisions:
        """From a file (`read`), or rows. Raises PellucidError, naming the line, for what is no decision."""
        if isinstance(value, Decisions):
            return value
        if isinstance(value, (str, Path)):
            return cls.read(value)
        return cls(()).with_rows(value)

    @classmethod
    def read(cls, path: str | Path) -> Decisions:
        """A file of comma-separated values with the columns image, given, decision (accept, reject, relabel, remove)
        and label; others are passed over, and so are lines without a decision. PellucidError, naming file and line.
        """
        place = Path(path).expanduser()
        try:
            text = place.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            said = "not in UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise PellucidError(f"cannot read the decisions {str(path)!r}: {said}") from error
        lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        found: dict[str, Decision] = {}
        at: dict[str, int] = {}
        try:
            missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
            if missing:
                raise PellucidError(f"{str(path)!r} has no column {missing[0]!r}: decisions have {', '.join(COLUMNS)}")
            for row in lines:
                if any(row[name] is None for name in COLUMNS):
                    raise PellucidError(f"line {lines.line_num} of {str(path)!r} has too few cells")
                cells = {name: row[name].strip() for name in COLUMNS}
                if not cells["decision"]:
                    continue
                one = _made(cells, f"line {lines.line_num} of {str(path)!r}")
                if found.get(one.image, one) != one:
                    raise PellucidError(
                        f"line {lines.line_num} of {str(path)!r} decides about {one.image!r} once more, and other than "
                        f"line {at[one.image]}: keep one of them"
                    )
                found[one.image], at[one.image] = one, lines.line_num
        except csv.Error as error:
            raise PellucidError(f"line {lines.line_num} of {str(path)!r} is no line of a table: {error}") from error
        return cls(tuple(found.values()), str(path))

    def write(self, path: str | Path) -> Path:
        """Write them, so that the file is whole or as it was."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([one.image, one.given, one.decision, one.holds] for one in self.rows)
        return write_atomically(Path(path).expanduser(), lambda file: file.write(stream.getvalue().encode()))

    def with_rows(self, rows: Iterable[Decision | Sequence[str]]) -> Decisions:
        """With other decisions besides, or their four cells; about an image decided about before, the later holds."""
        found = {one.image: one for one in self.rows}
        for row in rows:
            cells = isinstance(row, (list, tuple)) and len(row) == len(COLUMNS) and all(isinstance(c, str) for c in row)
            if not cells and not isinstance(row, Decision):
                raise PellucidError(f"no decision {row!r:.80}: Decision(image, given, decision, label) is one")
            one = row if isinstance(row, Decision) else Decision(*row)  # type: ignore[arg-type]
            found.pop(one.image, None)
            found[one.image] = one
        return Decisions(tuple(found.values()), self.place)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return self.place or f"{len(self)} decision{'s' if len(self) != 1 else ''}"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each word."""
        return {word: sum(one.decision == word for one in self.rows) for word in WORDS}

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"decisions": str(self), **self.counts}

    @property
    def identity(self) -> str:
        """Every decision."""
        return repr(self.rows)

    def plain(self) -> Any:
        """The file, or the cells of every row."""
        return self.place or [[one.image, one.given, one.decision, one.label] for one in self.rows]


DecisionsLike: TypeAlias = Decisions | str | Path | Iterable[Decision | Sequence[str]]
"""Decisions about labels, or the file that they are in."""


def _made(cells: Mapping[str, str], where: str) -> Decision:
    try:
        return Decision(**cells)  # type: ignore[arg-type]
    except PellucidError as error:
        raise PellucidError(f"{where}: {error}") from error


def _given(value: DecisionsLike) -> Any:
    """For pydantic: a file becomes decisions."""
    if not isinstance(value, (str, Path, list, tuple)):
        return value
    try:
        return Decisions.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


DecisionsOption = Annotated[InstanceOf[Decisions], BeforeValidator(_given)]
"""An option that takes decisions about labels."""
