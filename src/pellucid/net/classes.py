"""The classes of a data set as those of a network: by name, WordNet id or number, or as somebody has stated it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError, UnknownName, unknown

if TYPE_CHECKING:
    from pellucid.net import Net

Stated = Mapping[Any, Any] | Sequence[Any]
"""{class of the data: class of the network}, or the classes of the network in the order of the data's; None for those
whose images are left out."""
_BETWEEN = re.compile(r"[\s_-]+")


def stated_for(stated: Stated | None, name: str, number: int, many: int, where: str) -> tuple[bool, Any]:
    """(whether somebody has said what a class of the data is, what)."""
    if stated is None:
        return False, None
    if isinstance(stated, Mapping):
        for key in (name, number):
            if key in stated:
                return True, stated[key]
        return False, None
    if number >= len(stated) or many > len(stated):
        raise PellucidError(
            f"classes= has {len(stated)} entries, {where} has {max(many, number + 1)} classes: one for each in their "
            "order, or a dict of those that are called otherwise"
        )
    return True, stated[number]


def count(net: Net) -> int:
    """How many classes a network knows; one logit decides between two."""
    return len(net.labels) if net.labels is not None else max(net.outputs, 2)


def class_of(net: Net, name: str, number: int, many: int, stated: Stated | None, where: str) -> int | None:
    """The network's number for class `name` of the data, its `number` among `many`; None where it is left out.

    Raises PellucidError in one line; `where` says which image has that class.
    """
    said, value = stated_for(stated, name, number, many, where)
    if said and value is None:
        return None
    try:
        found = net.class_index(value) if said else _found(net, name)
    except UnknownName as error:
        how = "" if said else f"; say which it is, classes={{{name!r}: CLASS}}"
        raise UnknownName(f"{error}{how} ({where})") from error
    outputs = count(net)
    if not 0 <= found < outputs:
        raise PellucidError(
            f"class {value if said else name} is none of {net.name}, which has {outputs} (0 to {outputs - 1}): "
            f"{_instead(found, outputs, said)} ({where})"
        )
    return found


def _instead(found: int, outputs: int, said: bool) -> str:
    if found == outputs and not said:
        return f"numbers that begin at 1 are said by classes={{i + 1: i for i in range({outputs})}}"
    return "say what its classes are, classes={NUMBER: CLASS}"


def _found(net: Net, name: str) -> int:
    """By name, by WordNet id, by a name that differs in case and underscores alone, or by number."""
    labels = net.labels
    if labels is None:
        if name.isdecimal():
            return int(name)
        raise UnknownName(f"class {name!r}: {net.name} has no labels, load(..., labels=)")
    try:
        return labels.find(name)
    except UnknownName as error:
        alike = [i for i, names in enumerate(labels.names) if any(_folded(one) == _folded(name) for one in names)]
        if len(alike) == 1:
            return alike[0]
        if len(alike) > 1:
            raise UnknownName(
                f"{len(alike)} classes of {net.name} are called {name!r}, {', '.join(map(str, alike))}"
            ) from error
        if name.isdecimal():
            return int(name)
        raise unknown(f"class of {net.name}", name, (one for names in labels.names for one in names)) from error


def _folded(name: str) -> str:
    return _BETWEEN.sub(" ", name.strip()).casefold()
