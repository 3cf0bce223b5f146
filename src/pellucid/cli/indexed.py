"""Commands of the methods that read an index: `pellucid top_images photos.index layer4:151`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pellucid.catalogue import Entry
from pellucid.cli.ask import Answer, remark, report
from pellucid.cli.files import PAGES, places, save
from pellucid.cli.options import Command, Option, common, options_from
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError
from pellucid.net.load import load
from pellucid.result import Places, Result, Table
from pellucid.sweep.index import Index, preprocess_of

NOUNS = {"index": "INDEX", "other": "OTHER", "indexes": "INDEX...", "unit": "LAYER:UNIT", "images": "IMAGE..."}
"""What such methods ask about, in the order of their signatures, and how the help page writes it."""
KEPT = ("out", "look", "json", "quiet", "debug", "threads")
"""Of the common options those that make sense where the network is the index's."""
NETWORK = ("net", "weights", "labels", "output", "scores")
"""And those that name it, where it is not loaded on the word of the index alone."""
_WAYS = {"images": "--pictures FOLDER", "net": "--net SPEC"}


def command(entry: Entry) -> click.Command:
    """The command of a method that has an index among its nouns. Its network is the one of the index."""
    own = options_from(entry.options)
    taken = {param.name for param in own}
    params: list[click.Parameter] = [_argument(noun) for noun in entry.arguments if noun in NOUNS]
    if "target" in entry.arguments:
        params.append(Option("-t", "--target", metavar="TARGET", help="as for the other methods"))
    params += own
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


def _argument(noun: str) -> click.Argument:
    several = NOUNS[noun].endswith("...")
    return click.Argument([noun], nargs=-1 if several else 1, required=True, metavar=NOUNS[noun], type=click.Path())


def answered(session: Session, entry: Entry) -> None:
    """Ask the method, once: its index and pictures are one question."""
    given = session.given
    nouns = {name: given[name] for name in entry.arguments if name in given and given[name] is not None}
    tabled = entry.gives(Table) and not given["out"]
    files = (
        [] if tabled else places(given["out"], [about(given)], entry.name, more=PAGES if entry.gives(Places) else ())[0]
    )
    session.use_threads()
    with session.watch.busy("opening the index"):
        for name in ("index", "other"):
            if name in nouns:
                nouns[name] = opened(nouns[name], given)
        if "indexes" in nouns:
            nouns["indexes"] = [opened(one, given) for one in nouns["indexes"]]
    if "images" in nouns:
        nouns["images"] = session.read_all(given["images"])
        if nouns["images"] is None:
            return
    result: Result = entry.function(**nouns, **{name: given[name] for name in entry.options.model_fields})
    saved = save(result, nouns.get("images"), files, given["look"] or {}, session.watch.words)
    remark(session, entry.title, result, "")
    report(session, [Answer(None, result, saved)])


def opened(folder: str, given: Mapping[str, Any]) -> Index:
    """The index in a folder, its pictures and its network where they are said to be."""
    index = replace(Index.of(folder), ways=_WAYS)
    if given.get("pictures"):
        index = index.at(given["pictures"])
    if given.get("net"):
        net = load(given["net"], **{name: given.get(name) for name in NETWORK if name != "net"})
        index = index.using(replace(net, preprocess=preprocess_of(index.plan)))
    return index


def about(given: Any) -> str:
    """What the answer's file is called after: photos.layer4-151 for that unit of photos.index."""
    first = given.get("index") or (given.get("indexes") or [None])[0]
    if not first:
        raise PellucidError("which index? pellucid index PICTURES --store photos.index makes one")
    unit = given.get("unit")
    stem = Path(first).name.removesuffix(".index")
    return f"{stem}.{unit.replace(':', '-').replace('#', '-')}.x" if unit else f"{stem}.x"
