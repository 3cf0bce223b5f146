"""Several indexes, of the states of a network in the order of its training, as a noun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from pellucid.errors import PellucidError
from pellucid.index.index import Index, IndexLike
from pellucid.index.matching import same_pictures
from pellucid.nouns import Noun


@final
@dataclass(frozen=True, eq=False)
class Indexes(Noun):
    """Indexes over the same images, first to last."""

    written, samples, format, many = "INDEX", ("first.index last.index",), "index", True
    help = "folders of two or more indexes over the same images"
    has_network = True
    each: tuple[Index, ...]

    @classmethod
    def of(cls, value: IndexesLike) -> Indexes:
        """From folders or indexes in a list. Refused where they are not of the same images."""
        if isinstance(value, Indexes):
            return value
        many = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        each = tuple(Index.of(one) for one in many)
        if len(each) < 2:
            raise PellucidError(f"{len(each)} index: name two at least, of a network's states from first to last")
        for one in each[1:]:
            same_pictures(each[0], one)
        return cls(each)

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called: their folders; numbered where two have one name."""
        names = [one.name for one in self.each]
        return tuple(f"{i} · {name}" if names.count(name) > 1 else name for i, name in enumerate(names))

    @property
    def title(self) -> str:
        """What they are called."""
        return ", ".join(self.names)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records: what the last of them does, and what they are called."""
        return self.each[-1].facts() | {"states": self.names}

    @property
    def identity(self) -> str:
        """Of each, in their order."""
        return " ".join(one.identity for one in self.each)

    def plain(self) -> list[str]:
        """The folder of each."""
        return [one.plain() for one in self.each]


IndexesLike: TypeAlias = Indexes | Sequence[IndexLike]
"""Two indexes or more, or their folders, first to last."""
