"""Audits: what was found wrong with a set of images, kind by kind, with pictures, for a person to act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, UInt8

from pellucid.errors import PellucidError, unknown
from pellucid.result.base import Meta, Result
from pellucid.result.decidable import Decidable
from pellucid.result.grid import Grid
from pellucid.result.table import Cell, Table

Kind = Literal["mislabeled", "leaks", "duplicates", "outliers", "quality", "similar", "context", "subgroups"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TITLES: Mapping[str, str] = {
    "mislabeled": "Wrong labels",
    "leaks": "Leaks",
    "duplicates": "Duplicates",
    "outliers": "Outliers",
    "quality": "Picture quality",
    "similar": "Similar classes",
    "context": "Context over object",
    "subgroups": "Rare subgroups",
}

OWN, TEST = "set", "test set"
"""What the images of the set are called, where it has no parts, and those that it was held against."""


@dataclass(frozen=True)
class Looked:
    """One kind of finding: how much was found, and what counts as found."""

    of_kind: str
    found: int
    """Of all images, also those that are not listed."""
    rule: str
    """What counts as found; where the kind was not looked for, why not."""
    done: bool = True


@dataclass(frozen=True)
class Finding:
    """One finding: what it is and what to do about it, with the pictures that show it."""

    of_kind: str
    title: str
    said: str
    """What was found, in a sentence."""
    advice: str
    """What to do, in a sentence."""
    score: float
    """By which findings of a kind are sorted, the largest first."""
    found: bool
    """Whether it counts as found; else it is listed because nothing of its kind is more striking."""
    images: tuple[int, ...]
    """Of the pictures: those that it is about."""
    captions: tuple[str, ...]
    """For each of these, one line."""
    beside: tuple[int, ...] = ()
    """Pictures to compare with."""
    beside_captions: tuple[str, ...] = ()
    beside_title: str = ""
    """What these are."""
    label: str = ""
    """Class that it is about; empty where it is about none, or about several."""
    suggestion: str = ""
    """Class that is suggested for the first image."""


@dataclass(frozen=True, eq=False)
class Audit(Decidable, Result):
    """What was found wrong with `total` images: `items` by kind, in the order of `looked`, the most striking first.

    Pictures are numbers of `thumbs` (P, side, side, 3), whose `names` (P,), `given` classes ("" where there is none),
    `suggestions` ("" where there is none) and `sets` are told: "set", or the folder of its part such as "train"; "test
    set" for what it was held against; "" for changed pictures. `similar` is a matrix of classes that are taken for one
    another, `merges` (C − 1, 4) the tree of its rows as scipy's linkage has it.
    """

    items: tuple[Finding, ...]
    looked: tuple[Looked, ...]
    thumbs: UInt8[np.ndarray, "p side side 3"]
    names: tuple[str, ...]
    given: tuple[str, ...]
    suggestions: tuple[str, ...]
    sets: tuple[str, ...]
    classes: tuple[str, ...]
    """Among which an image can be given another label."""
    total: int
    similar: Grid | None = None
    merges: Float[np.ndarray, "m 4"] | None = None
    findings: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        found = ", ".join(f"{one.found} {one.of_kind}" for one in self.looked if one.done)
        return f"Audit({self.total} images: {found})"

    def __len__(self) -> int:
        """How many findings are listed."""
        return len(self.items)

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The listed findings of a kind. Raises UnknownName with the nearest."""
        if kind not in KINDS:
            raise unknown("kind of finding", kind, KINDS)
        return tuple(one for one in self.items if one.of_kind == kind)

    @property
    def decidable(self) -> tuple[int, ...]:
        """Pictures of labeled images of the set itself, as they are."""
        return tuple(i for i, part in enumerate(self.sets) if part not in ("", TEST) and self.given[i])

    @property
    def counts(self) -> dict[str, int]:
        """How many were found of each kind that was looked for."""
        return {one.of_kind: one.found for one in self.looked if one.done}

    @property
    def table(self) -> Table:
        """A row for each finding that is listed."""
        columns: dict[str, tuple[Cell, ...]] = {
            "kind": tuple(one.of_kind for one in self.items),
            "found": tuple(one.found for one in self.items),
            "score": tuple(one.score for one in self.items),
            "class": tuple(one.label for one in self.items),
            "suggestion": tuple(one.suggestion for one in self.items),
            "images": tuple("; ".join(self.names[i] for i in one.images if self.names[i]) for one in self.items),
            "what": tuple(one.said for one in self.items),
            "advice": tuple(one.advice for one in self.items),
        }
        return Table(columns)

    def derived(self) -> dict[str, Any]:
        """How many were found, what the kinds are called, and the rows of the table."""
        titles = {one.of_kind: TITLES[one.of_kind] for one in self.looked}
        return {"counts": self.counts, "titles": titles, "rows": list(self.table.rows)}

    def describe(self) -> dict[str, Any]:
        """As every result, and its tables as tables."""
        return super().describe() | {"tables": {name: table.describe() for name, table in self.tables.items()}}

    def failing(self, limits: Mapping[str, int]) -> tuple[str, ...]:
        """The kinds of which as many were found as `limits` says, or more, in a line each. PellucidError for a kind
        that was not looked for: what nobody looked for has not passed."""
        for kind in limits:
            own = next((one for one in self.looked if one.of_kind == kind), None)
            if own is None or not own.done:
                why = f": {own.rule}" if own else ""
                raise PellucidError(f"{kind} was not looked for, so nothing can be said of it{why}")
        return tuple(f"{self.counts[kind]} {kind}" for kind, least in limits.items() if self.counts[kind] >= least)


def limits_of(text: str) -> dict[str, int]:
    """`mislabeled,duplicates:5` as {kind: so many}: 1 where no number is said. Raises PellucidError, UnknownName."""
    found: dict[str, int] = {}
    for part in text.split(","):
        kind, colon, number = part.strip().partition(":")
        if kind not in KINDS:
            raise unknown("kind of finding", kind, KINDS)
        if colon and not (number.isascii() and number.isdecimal() and 0 < int(number) < 10**9):
            raise PellucidError(f"{part.strip()!r}: KIND or KIND:COUNT, where COUNT is 1 or more, such as {kind}:5")
        if kind in found:
            raise PellucidError(f"{text!r} names {kind} twice")
        found[kind] = int(number) if colon else 1
    return found
