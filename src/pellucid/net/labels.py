"""The names of a network's classes, and how a person's name for one is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pellucid.errors import UnknownName, unknown

_WNID = re.compile(r"n\d{8}")
_BETWEEN = re.compile(r"(?<=\w)(?:[_'’-]+| )(?=\w)")


@dataclass(frozen=True)
class Labels:
    """One entry per class: its names (the first is shown, all are understood) and its WordNet id, if any."""

    names: tuple[tuple[str, ...], ...] = field(repr=False)
    wnids: tuple[str, ...] | None = field(default=None, repr=False)

    @classmethod
    def plain(cls, names: list[str] | tuple[str, ...]) -> Labels:
        """One name per class."""
        return cls(tuple((str(name),) for name in names))

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The name to show for a class; its number where there is none."""
        return self.names[index][0] if 0 <= index < len(self.names) else str(index)

    def knows(self, asked: str) -> bool:
        """Whether a class has exactly this name, in any case."""
        return asked.strip().casefold() in self._by_name

    def find(self, asked: str) -> int:
        """The class that a person calls `asked`: any of its names, in any case, or its WordNet id.

        A name that lists several, such as 'tench, Tinca tinca', is understood by each of them too, and one whose words
        are put together or apart in another way: jellyfish is jelly fish, school_bus is school bus.

        Raises UnknownName with the nearest names, or with the choices where several classes share the name.
        """
        if self.wnids and _WNID.fullmatch(asked.strip()):
            asked = asked.strip()
            if asked in self.wnids:
                return self.wnids.index(asked)
            raise unknown("class", asked, self.wnids)
        name = asked.strip().casefold()
        found = self._by_name.get(name) or self._by_part.get(name) or self._by_letters.get(_letters(name), ())
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(self.wnids[i] if self.wnids else str(i) for i in found)
            raise UnknownName(f"{len(found)} classes are called {asked!r}: say which, {choices}")
        raise unknown("class", asked, (name for names in self.names for name in names))

    @cached_property
    def _by_name(self) -> dict[str, tuple[int, ...]]:
        return _table(self.names)

    @cached_property
    def _by_part(self) -> dict[str, tuple[int, ...]]:
        return _table([[part for name in names for part in name.split(", ")] for names in self.names])

    @cached_property
    def _by_letters(self) -> dict[str, tuple[int, ...]]:
        return _table([[_letters(part) for name in names for part in name.split(", ")] for names in self.names])


def _letters(name: str) -> str:
    """The name without what parts its words."""
    return _BETWEEN.sub("", name.casefold())


def _table(rows: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Each name with the classes that have it."""
    table: dict[str, tuple[int, ...]] = {}
    for index, names in enumerate(rows):
        for name in {name.strip().casefold() for name in names}:
            table[name] = (*table.get(name, ()), index)
    return table
