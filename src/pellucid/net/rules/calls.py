"""The arguments of a call, taken apart and put together again with others in some places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor


def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(place, value) of all arguments; those of a list lie one level deeper."""
    for place, value in [*enumerate(args), *kwargs.items()]:
        if isinstance(value, (tuple, list)):
            yield from (((place, i), part) for i, part in enumerate(value))
        else:
            yield place, value


Place = Any
"""Of an argument: its position or name; of one inside a list, (position or name of the list, position in it)."""


def blanked(args: tuple[Any, ...], kwargs: dict[str, Any], places: list[Place]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with None in these places; lists are copies."""
    positional = [list(a) if isinstance(a, (tuple, list)) else a for a in args]
    named = {name: list(a) if isinstance(a, (tuple, list)) else a for name, a in kwargs.items()}
    for place in places:
        _put(positional, named, place, None)
    return positional, named


def filled(
    func: Any,
    args: list[Any],
    kwargs: dict[str, Any],
    places: list[Place],
    values: tuple[Tensor, ...],
    *,
    copies: bool,
) -> Any:
    """The call with these values in the places that were blanked."""
    positional = [list(a) if isinstance(a, list) else a for a in args]
    named = {name: list(a) if isinstance(a, list) else a for name, a in kwargs.items()}
    for place, value in zip(places, values, strict=True):
        _put(positional, named, place, value.clone() if copies else value)
    return func(*positional, **named)


def _put(positional: list[Any], named: dict[str, Any], place: Place, value: Tensor | None) -> None:
    """Write one argument into its place."""
    outer, *inner = place if isinstance(place, tuple) else (place,)
    where: Any = positional if isinstance(outer, int) else named
    if inner:
        where, outer = where[outer], inner[0]
    where[outer] = value
