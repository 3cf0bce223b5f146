"""Commands of the methods that read an index: `pellucid top_images photos.index layer4:151`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.catalogue import Entry
from pellucid.catalogue.ask import Ask
from pellucid.cli.answers import Answer, remark, report
from pellucid.cli.files import PAGES, places, save
from pellucid.cli.nouns import parameters, written
from pellucid.cli.options import Command, Option, common, options_from
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.methods.units import Index, Indexes, Unit
from pellucid.net.load import load
from pellucid.result import Places, Result, Table

KEPT = ("out", "look", "json", "quiet", "debug", "threads")
"""Of the common options those that make sense where the network is the index's."""
NETWORK = ("net", "weights", "labels", "output", "scores")
"""And those that name it, where it is not loaded on the word of the index alone."""
_WAYS = {"images": "--pictures FOLDER", "net": "--net SPEC"}


def command(entry: Entry) -> Command:
    """The command of a method that has an index among its nouns. Its network is the one of the index."""
    own = options_from(entry.options)
    taken = {param.name for param in own}
    params = [*parameters(entry), *own]
    params.append(Option("--pictures", metavar="SOURCE", help="where the pictures lie now, if they were moved"))
    params += [one for one in network() if one.name not in taken]
    params += [one for one in common(out=True) if one.name in KEPT and one.name not in taken]
    doc = f"{entry.title}. {entry.doc}\n\n{entry.source}."
    call = running(lambda session: answered(session, entry))
    return Command(entry.name, call, doc=doc, summary=entry.title, params=params)


def network() -> list[Option]:
    """The options that name the network of an index: one that runs code, or has files of its own, must be named."""
    found = [one for one in common() if one.name in NETWORK]
    for one in found:
        if one.name == "net":
            one.default, one.envvar = None, None
            one.help = "the network, where the index names one that runs code or has files of its own"
    return found


def answered(session: Session, entry: Entry) -> None:
    """Ask the method, once: its index and pictures are one question."""
    given = session.given
    nouns = written(entry, given)
    tabled = entry.gives(Table) and not given["out"]
    more = PAGES if entry.gives(Places) else ()
    files = [] if tabled else places(given["out"], [about(entry, given)], entry.name, more=more)[0]
    session.use_threads()
    with session.watch.busy("opening the index"):
        for name, kind in entry.nouns.items():
            if issubclass(kind, Index):
                nouns[name] = opened(nouns[name], given)
            elif issubclass(kind, Indexes):
                nouns[name] = [opened(one, given) for one in nouns[name]]
    pictures = entry.argument(Images)
    if pictures is not None:
        nouns[pictures] = session.read_all(given["images"])
        if nouns[pictures] is None:
            return
    result: Result = Ask(entry.name, {}, {name: given[name] for name in entry.options.model_fields}).answer(**nouns)
    over = nouns[pictures] if pictures is not None else None
    saved = save(result, over, files, given["look"] or {}, session.watch.words)
    remark(session, entry.title, result, "")
    report(session, [Answer(None, result, saved)])


def opened(folder: str, given: Mapping[str, Any]) -> Index:
    """The index in a folder, its pictures and its network where they are said to be."""
    index = replace(Index.of(folder), ways=_WAYS)
    if given.get("pictures"):
        index = index.at(given["pictures"])
    if given.get("net"):
        net = load(given["net"], **{name: given.get(name) for name in NETWORK if name != "net"})
        index = index.using(replace(net, preprocess=index.preprocess))
    return index


def about(entry: Entry, given: Mapping[str, Any]) -> str:
    """What the answer's file is called after: photos.layer4-151 for that unit of photos.index."""
    first = given.get(entry.argument(Index, Indexes) or "")
    if not first:
        raise PellucidError("which index? pellucid index PICTURES --store photos.index makes one")
    unit = given.get(entry.argument(Unit) or "")
    stem = Path(first if isinstance(first, str) else first[0]).name.removesuffix(".index")
    return f"{stem}.{unit.replace(':', '-').replace('#', '-')}.x" if unit else f"{stem}.x"
