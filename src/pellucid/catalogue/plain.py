"""Values as a person would write them, in plain JSON: what a question is made of."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.nouns import Noun

_LONG = 200
"""Letters of the text that stands for what has no JSON."""


def written(value: Any) -> Any:
    """What a person would write for a value, where that says all of it; else the value."""
    if isinstance(value, (list, tuple)):
        return tuple(map(written, value))
    if isinstance(value, Mapping):
        return {key: written(one) for key, one in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Noun):
        if value.by_network:  # its text may say something else where a class has a strange name
            return value
        try:
            return written(value.plain())
        except PellucidError:
            return value
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    try:
        return operator.index(value)  # a whole number of another library
    except (TypeError, RuntimeError, ValueError):
        return value


def as_json(name: str, value: Any) -> Any:
    """A written value as plain JSON. PellucidError, by the name of its argument, where only memory holds it."""
    if isinstance(value, tuple):
        return [as_json(name, one) for one in value]
    if isinstance(value, Mapping):
        return {key: as_json(name, one) for key, one in value.items()}
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if isinstance(value, Noun):
        return value.plain()  # says why it is none
    raise PellucidError(f"{name}: a {type(value).__name__} is in memory only: name it by text, or give it to answer()")


def recorded(name: str, given: Any, made: Any) -> tuple[Any, bool]:
    """(what stands for a part of a question, whether that says all of it): what was given, or what was made of it.

    A list stands as a tuple, as in an `Ask`. Of what only memory holds a few words are left.
    """
    for value in (given, made):
        try:
            return written(as_json(name, written(value))), True
        except PellucidError:
            continue
    text = made.title if isinstance(made, Noun) else f"{type(made).__name__} {made}"
    return text if len(text) <= _LONG else f"{text[:_LONG]}…", False
