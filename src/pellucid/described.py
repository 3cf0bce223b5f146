"""What a declaration says of an option besides its type and its description, for help pages and forms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Default:
    """What happens where an option is not given, in words: the default itself is then None, or long to read."""

    says: str


@dataclass(frozen=True)
class Shell:
    """How an option is written on a command line, where that is not by its name and its type."""

    flag: str = ""
    value: str = ""


def written_default(metadata: list[object]) -> str | None:
    """The default in words, where the declaration has them."""
    return next((one.says for one in metadata if isinstance(one, Default)), None)
