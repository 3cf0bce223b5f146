"""The catalogue of methods. A method is declared once; its signature is the declaration.

The keyword-only arguments of a method become a pydantic model; validation, the command line, the web form, the
documentation and the store key all read that model. Listing the methods does not import them: their names and
titles are read from the source files, so that help stays fast.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from pellucid.catalogue.method import Over, method, methods_of
from pellucid.catalogue.options import Options, allowed, arguments_of, nouns_of, options_of, result_of, validated
from pellucid.errors import PellucidError, unknown
from pellucid.nouns import Noun
from pellucid.plugins import METHODS
from pellucid.registry import Row

__all__ = ["Entry", "Over", "allowed", "entries", "find", "method", "methods_of", "nearest", "options_of", "validated"]


def nearest(name: str, others: Mapping[str, str] | None = None) -> str:
    """Where the methods lie that are nearly called so, as the end of a message; of `others` too, by name. Empty for
    what Python itself asks for.
    """
    if name.startswith("_"):
        return ""
    places = {**(others or {}), **{one.name: f"pl.{one.chapter}.{one.name}" for one in entries()}}
    close = get_close_matches(name.casefold(), places, n=3)
    return f"; nearest: {', '.join(places[one] for one in close)}" if close else ""


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue: where a method is, and what it is called. Importing it is left to `function`."""

    name: str
    title: str
    source: str
    chapter: str
    module: str
    purpose: str = ""
    """What it does, in a line, for whoever looks for a method."""
    shows: str = ""
    """What to read in its answer, what not to, and what it costs: a paragraph."""
    over: Over = "each"
    quick: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Options that answer within seconds, more coarsely than the defaults."""
    samples: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What an example of its use asks about, by argument, where the sample of the kind would be refused."""
    resumable: bool = False
    """Whether it goes on where it was stopped, in a folder."""
    package: str = ""
    """The other package that adds it; empty where it is ours."""

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The method itself. BadPlugin, in one line, where another package adds it and cannot be imported."""
        found: Callable[..., Any] = METHODS.load(Row(self.name, f"{self.module}:{self.name}", package=self.package))
        return found

    @property
    def doc(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self.doc.partition("\n")[0]

    @property
    def plainly(self) -> Callable[..., Any]:
        """The function as it was declared: it takes nouns and all options, and signs nothing."""
        declared: Callable[..., Any] = inspect.unwrap(self.function)
        return declared

    @property
    def options(self) -> type[Options]:
        """The model of its keyword-only arguments."""
        return options_of(self.plainly)

    def gives(self, kind: type) -> bool:
        """Whether the method says that its result is of that kind."""
        return result_of(self.plainly) is kind

    @property
    def nouns(self) -> dict[str, type[Noun]]:
        """The kind of everything that it asks about, in order, by the name of the argument."""
        return nouns_of(self.plainly)

    @property
    def arguments(self) -> dict[str, inspect.Parameter]:
        """What it asks about, in order, as its signature says it."""
        return arguments_of(self.plainly)

    def argument(self, *kinds: type[Noun]) -> str | None:
        """The name of the first argument of one of these kinds; None where it asks about none of them."""
        return next((name for name, kind in self.nouns.items() if issubclass(kind, kinds)), None)

    @property
    def together(self) -> bool:
        """Whether its answer is one for all that it is asked about together, rather than one for each image."""
        return self.over == "all"

    def asks(self, *kinds: type[Noun]) -> bool:
        """Whether it asks about one of these kinds."""
        return self.argument(*kinds) is not None

    def placed(self, nouns: Mapping[type[Noun], Any]) -> dict[str, Any]:
        """Every argument with what there is of its kind, or of a wider one; left out where there is nothing."""
        found = {name: next((one for one in kind.__mro__ if one in nouns), None) for name, kind in self.nouns.items()}
        return {name: nouns[kind] for name, kind in found.items() if kind is not None}

    def filled(self, nouns: Iterable[Noun]) -> dict[str, Noun]:
        """Each noun as the first argument of its kind that has none; those of no such kind are left out."""
        found: dict[str, Noun] = {}
        for noun in nouns:
            for name, kind in self.nouns.items():
                if name not in found and isinstance(noun, kind):
                    found[name] = noun
                    break
        return found


def entries() -> tuple[Entry, ...]:
    """Every method, ours and those of other packages (entry-point group `pellucid.methods`), by chapter and name.

    Nothing is imported for it: what a package fails to bring is found out when it is asked for.
    """
    return _entries(METHODS.rows())


@functools.lru_cache(maxsize=1)
def _entries(rows: tuple[Row, ...]) -> tuple[Entry, ...]:
    found = []
    for row in rows:
        facts = dict(row.said)  # of ours the chapter is the folder
        chapter = facts.pop("chapter", "") or row.package.replace("-", "_") or row.module.split(".")[-2]
        if row.package:
            facts.setdefault("source", "")
        elif "source" not in facts:
            raise PellucidError(f"{row.module} declares {row.name} without a source: @method({row.first!r}, source=…)")
        found.append(Entry(row.name, row.first, chapter=chapter, module=row.module, package=row.package, **facts))
    return tuple(sorted(found, key=lambda entry: (entry.chapter, entry.name)))


def american(name: str) -> str:
    """A name in American spelling, which all names here have."""
    return name.replace("isation", "ization").replace("alise", "alize")


def find(name: str) -> Entry:
    """The method of that name, also as chapter.name or in British spelling, or UnknownName with the nearest."""
    for wanted in dict.fromkeys((name, american(name))):
        for entry in entries():
            if wanted in (entry.name, f"{entry.chapter}.{entry.name}"):
                return entry
    METHODS.row(name)  # says which package fails to add it
    raise unknown("method", name, [entry.name for entry in entries()])
