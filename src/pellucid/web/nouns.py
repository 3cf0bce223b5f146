"""From what a page sends to what a method is asked about: by ids, or by texts that open nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pellucid.catalogue import Entry
from pellucid.errors import PellucidError, unknown
from pellucid.index import Index
from pellucid.index.several import Indexes
from pellucid.index.unit import Unit
from pellucid.net import Net
from pellucid.target import Target
from pellucid.web.forms import without_files
from pellucid.web.session import Session

Made = Callable[[Session, Any, Net | None], Any]


def given(here: Session, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    """The nouns of a method, of what a page said for each by the name of the argument. What is not said is left to the
    method's default; the network is the first.
    """
    for name in said:
        if name not in entry.nouns:
            raise unknown(f"question of {entry.name}", name, entry.nouns)
    image = next((said[name] for name, kind in entry.nouns.items() if kind.format == "image" and name in said), None)
    found: dict[str, Any] = {}
    for name, kind in entry.nouns.items():
        if kind.format == "net":
            number = str(said.get(name) or "n0")
            found[name] = here.remembering(number, image) if isinstance(image, str) else here.net(number)
        elif said.get(name) is not None:
            if kind.format not in _MADE:
                raise PellucidError(f"{entry.name}: {name} is given on the command line, or in Python")
            net = next((one for one in found.values() if isinstance(one, Net)), None)
            found[name] = _MADE[kind.format](here, said[name], net)
    return found


def target(here: Session, said: Any, net: Net | None) -> Target:
    """What is asked of the network, as text. PellucidError where it names a file, UnknownName with the nearest names
    for a class that the network has not: it is said before anything is computed.
    """
    found: Target = without_files(Target.made(_text(said), net), here.image)
    if net is not None:
        for name in found.class_names:
            net.class_index(name)
    return found


def _text(said: Any) -> str:
    if isinstance(said, str):
        return said
    raise PellucidError(f"{str(said)[:80]!r} is no text")


def _texts(said: Any) -> str | list[str]:
    return _text(said) if not isinstance(said, list) else [_text(one) for one in said]


def _indexes(here: Session, said: Any) -> Index | Indexes:
    """An index, or several, of checkpoints of one network."""
    numbers = _texts(said)
    return here.index(numbers) if isinstance(numbers, str) else Indexes.of([here.index(one) for one in numbers])


_MADE: dict[str, Made] = {
    "image": lambda here, said, net: here.image(_text(said)),
    "images": lambda here, said, net: here.image_set(_texts(said)),
    "data": lambda here, said, net: here.data(_text(said)),
    "index": lambda here, said, net: _indexes(here, said),
    "unit": lambda here, said, net: Unit.of(_text(said)),
    "target": target,
    "nets": lambda here, said, net: here.several(_texts(said)),
}
"""By the format of a kind of noun."""


def is_askable(entry: Entry) -> bool:
    """Whether a page can say all that the method is asked about."""
    return all(kind.format in {"net", *_MADE} for kind in entry.nouns.values())
