"""One command for each method, made from its declaration. Importing this imports torch."""

from __future__ import annotations

from typing import Any

from pellucid.catalogue import Entry, find
from pellucid.catalogue.ask import Ask
from pellucid.cli.answers import Answer, remark, report
from pellucid.cli.files import bare_places, places, save
from pellucid.cli.indexed import command as of_index
from pellucid.cli.nouns import parameters, written
from pellucid.cli.options import Command, Count, Option, common, option, options_from
from pellucid.cli.preview import previewing
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.result import Pictures, Table
from pellucid.target import Target, Targets


def command(name: str) -> Command:
    """The command of a method."""
    entry = find(name)
    if any(kind.has_network for kind in entry.nouns.values()):
        return of_index(entry)
    params, own = parameters(entry), options_from(entry.options)
    if entry.asks(Target, Targets) and entry.asks(Images):
        params.append(option("--top", type=Count | None, help="the so many best guesses, on one scale"))
    if entry.gives(Pictures):
        params += [
            Option("--bare", metavar="PATH", section="Answer",
                   help="the pictures alone, pixel for pixel: a .png file, or a folder/"),
            Option("--preview", metavar="FILE", section="Answer",
                   help="a .png file that shows how far they have come, made anew every two seconds"),
        ]  # fmt: skip
    taken = {param.name for param in own}
    params += [*own, *(option for option in common(out=True) if option.name not in taken)]
    doc = f"{entry.title}. {entry.doc}\n\n{entry.source}."
    return Command(name, running(lambda session: _ask(session, entry)), doc=doc, summary=entry.title, params=params)


def _ask(session: Session, entry: Entry) -> None:
    given = session.given
    targets, top = given.get("target") or (), given.get("top")
    for target in targets if given["labels"] is None else ():  # else it may be the name of a class
        Target.of(target)  # nonsense is answered before a network is loaded
    if targets and top:
        raise PellucidError(
            f"--target {targets[0]!r} and --top {top}: ask for classes by name, or for the best guesses"
        )
    options = {name: given[name] for name in entry.options.model_fields}
    names = () if entry.together else given.get("images", ())
    tabled = entry.gives(Table) and not given["out"]  # numbers to be read: on stdout, unless a file is named
    files = [[]] * max(len(names), 1) if tabled else places(given["out"], names or [given["net"]], entry.name)
    bare = bare_places(given["bare"], names or [given["net"]], entry.name) if given.get("bare") else []

    def one(picture: Any, i: int) -> list[Answer]:
        nouns = written(entry, given)
        if top:
            nouns[str(entry.argument(Target, Targets))] = session.net.top(picture, top)
        found = Ask(entry.name, nouns, options).answer(session.net, *([picture] if picture is not None else []))
        found = list(found) if isinstance(found, tuple) else [found]
        over = None if entry.together else picture
        saved = save(found if len(found) > 1 else found[0], over, files[i], given["look"] or {}, session.watch.words)
        if bare:
            saved = [*saved, *(path for result in found for path in result.write(bare[i]))]
        for result in found:
            remark(session, entry.title, result, names[i] if len(names) > 1 else "")
        return [Answer(names[i] if names else None, result, saved) for result in found]

    with previewing(given.get("preview")):
        asked = session.together if entry.together else session.each
        answers = asked(one) if entry.asks(Images) else [one(None, 0)]
    report(session, [answer for several in answers for answer in several])
