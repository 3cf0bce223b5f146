"""One command for each method, made from its declaration. Importing this imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pellucid.catalogue import Entry, find
from pellucid.catalogue.ask import Ask
from pellucid.cli.files import bare_places, places, save
from pellucid.cli.nouns import parameters, written
from pellucid.cli.options import Command, Count, Option, common, option, options_from
from pellucid.cli.preview import previewing
from pellucid.cli.session import Session, finite, running
from pellucid.cli.tables import plain, table, terminal
from pellucid.draw.tables import cell
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.result import Pictures, Result, Study, Table
from pellucid.target import Target, Targets


@dataclass(frozen=True)
class Answer:
    """What was found for one picture (None for methods without), and the files that hold it."""

    image: str | None
    result: Any
    saved: list[Path]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the numbers themselves: those are for .npz files."""
        document: dict[str, Any] = {} if self.image is None else {"image": self.image}
        document |= self.result.describe()
        document |= {"saved": [str(path) for path in self.saved], "meta": self.result.meta.as_dict()}
        return dict(finite(document))


def command(name: str) -> Command:
    """The command of a method."""
    entry = find(name)
    if any(kind.has_network for kind in entry.nouns.values()):
        from pellucid.cli.indexed import command as of_index

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


def report(session: Session, answers: list[Answer]) -> None:
    """The files on stdout, one a line, or the JSON document."""
    paths = "\n".join(dict.fromkeys(str(path) for answer in answers for path in answer.saved))

    def lines() -> None:
        for answer in answers:
            if isinstance(answer.result, Table) and not answer.saved:
                _table(answer.result)
        click.echo(paths, nl=bool(paths))

    session.tell({"results": [answer.as_dict() for answer in answers]}, lines)


def _table(result: Table) -> None:
    """A table on stdout; what a person should know of it is said as notes."""
    rows = [[cell(value) for value in row.values()] for row in result.rows]
    if not terminal():
        plain([list(result.columns), *([("" if v is None else v) for v in row.values()] for row in result.rows)])
        return
    words = [any(isinstance(value, str) for value in values) for values in result.columns.values()]
    table([(name, "keep" if word else "right") for name, word in zip(result.columns, words, strict=True)], rows)


def remark(session: Session, title: str, result: Result, image: str) -> None:
    """What was asked and what the method has to say about its answer."""
    meta = result.meta
    parts = [image, title] if image else [title]
    if meta.target:
        parts.append(meta.target)
    if meta.score:
        parts.append(f"score {meta.score[0]:.4g}")
    session.watch.remark(" · ".join(parts))
    for said in result.said if isinstance(result, (Study, Table)) else ():
        session.watch.note(said)
    for note in meta.notes:
        if not any(note.startswith(f"{name}: ") for name in meta.images):  # said when the picture was read
            session.watch.note(note)
