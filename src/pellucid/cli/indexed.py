"""What is asked about an index: how it is opened, and with which network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.catalogue import Entry
from pellucid.cli.common import common, saved
from pellucid.cli.page import Option
from pellucid.cli.session import Session
from pellucid.errors import PellucidError
from pellucid.methods.units import Index, Indexes, Unit
from pellucid.net.load import load

_KEPT = ("json", "quiet", "debug", "threads")
"""Of the common options those that make sense where the network is the index's."""
_NETWORK = ("net", "weights", "labels", "output", "scores")
"""And those that name it, where it is not loaded on the word of the index alone."""
_WAYS = {"images": "--with-images FOLDER", "net": "--net SPEC"}


def has(entry: Entry) -> bool:
    """Whether a method asks about something that brings a network of its own."""
    return any(kind.has_network for kind in entry.nouns.values())


def shared(default: str = "INDEX.UNIT.METHOD.png in this folder") -> list[Option]:
    """The options of every command that reads an index: a network that runs code, or has files of its own, must be
    named.
    """
    moved = Option(
        "--with-images", metavar="SOURCE", section="Network", help="folder or files of the images, if they were moved"
    )
    found = [*saved(default), *(one for one in common() if one.name in (*_KEPT, *_NETWORK))]
    for one in found:
        if one.name == "net":
            one.default, one.envvar = None, None
            one.help = "network of the index; needed where the index names one that runs code or has files of its own"
    return [moved, *found]


def opened_by(session: Session, entry: Entry) -> dict[str, Any]:
    """Every index that the method asks about, opened; nothing where it asks about none."""
    if not has(entry):
        return {}
    session.use_threads()
    found: dict[str, Any] = {}
    with session.watch.busy("opening the index"):
        for name, kind in entry.nouns.items():
            if issubclass(kind, Index):
                found[name] = opened(session.given[name], session.given)
            elif issubclass(kind, Indexes):
                found[name] = [opened(one, session.given) for one in session.given[name]]
    return found


def opened(folder: str, given: Mapping[str, Any]) -> Index:
    """The index in a folder, its images and its network where they are said to be."""
    index = replace(Index.of(folder), ways=_WAYS)
    if given.get("with_images"):
        index = index.with_images(given["with_images"])
    if given.get("net"):
        net = load(given["net"], **{name: given.get(name) for name in _NETWORK if name != "net"})
        index = index.with_net(replace(net, preprocess=index.preprocess))
    return index


def about(entry: Entry, given: Mapping[str, Any]) -> str:
    """What the answer's file is called after: photos.layer4-151 for that unit of photos.index."""
    first = given.get(entry.argument(Index, Indexes) or "")
    if not first:
        raise PellucidError("which index? pellucid index IMAGES --store photos.index makes one")
    unit = given.get(entry.argument(Unit) or "")
    stem = Path(first if isinstance(first, str) else first[0]).name.removesuffix(".index")
    return f"{stem}.{unit.replace(':', '-').replace('#', '-')}.x" if unit else f"{stem}.x"
