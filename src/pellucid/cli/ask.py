"""One command for each method, made from its declaration. Importing this imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pellucid.catalogue import Entry
from pellucid.catalogue.ask import Ask
from pellucid.catalogue.options import result_of
from pellucid.cli import indexed, labeled
from pellucid.cli.answer import Answer, document, lines, remark, report
from pellucid.cli.common import common, saved
from pellucid.cli.examples import examples
from pellucid.cli.files import PAGED, PAGES, bare_places, film_place, places, save
from pellucid.cli.nouns import parameters, written
from pellucid.cli.options import Count, given_as, option, options_from
from pellucid.cli.page import Command, Option
from pellucid.cli.preview import previewing
from pellucid.cli.session import Session, running
from pellucid.cli.view import ViewOption
from pellucid.data import Data
from pellucid.draw import view_options
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import able
from pellucid.evaluation.trust import annotate
from pellucid.history import History
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.result import Audit, Pictures, Table, Tour
from pellucid.result.audit import limits_of
from pellucid.target import Target, Targets


def command(entry: Entry) -> Command:
    """The command of a method."""
    own = options_from(entry.options)
    params = parameters(entry)
    if _many_classes(entry):
        params.append(
            option("--top", type=Count | None, section="Target", help="number of most probable classes to ask about")
        )
    if entry.gives(Pictures) and not indexed.has(entry):
        params += _MADE
    if entry in able():
        params.append(_CHECK)
    if entry.gives(Audit):
        params.append(_FAIL)
    shared = _shared(entry)
    taken = {param.name for param in own}
    params += [
        *own,
        ViewOption(view_options(result_of(entry.plainly))),
        *(one for one in shared if one.name not in taken),
    ]
    purpose = f"{entry.title}: {entry.purpose}" if entry.purpose else entry.title
    return Command(
        entry.name, running(lambda session: _ask(session, entry)), purpose=purpose, params=params,
        examples=examples(entry), details=entry.doc, shows=entry.shows, source=entry.source,
    )  # fmt: skip


def _shared(entry: Entry) -> list[Option]:
    """The options that other commands have, too; a table is printed unless a file is named."""
    printed = ["a table on the screen, tab-separated lines in a pipe"] if entry.gives(Table) else []
    printed += ["IMAGE.tour.html in this folder, a page to share"] if entry.gives(Tour) else []
    if indexed.has(entry):
        return indexed.shared(*printed)
    return labeled.shared(entry, *printed) if labeled.has(entry) else [*saved(*printed), *common()]


_MADE = [
    Option("--bare", metavar="PATH", section="Output",
           help="save the pictures alone, pixel for pixel: to a .png file, or into a folder/"),
    Option("--preview", metavar="FILE", section="Output",
           help="show unfinished pictures in a .png file, written anew every two seconds"),
    Option("--film", metavar="FILE", section="Output",
           help="film how the pictures come to be: a .gif, or with OpenCV a .mp4"),
]  # fmt: skip


_CHECK = Option(
    "--check/--no-check", default=None, section="Output",
    help="compare the map with that of random weights and of the moved image, and say so below it"
         "  [default: of one image, by a method that answers at once]",
)  # fmt: skip

_FAIL = Option(
    "--fail-on", metavar="KIND[:COUNT],…", section="Output",
    help="kinds of findings that end the command with exit code 1, where one was found, or as many as COUNT says",
)  # fmt: skip


def _ask(session: Session, entry: Entry) -> None:
    given = session.given
    limits = limits_of(given["fail_on"]) if given.get("fail_on") else {}
    labeled.split(entry, given)
    top = _top(entry, given)
    options = {name: given[given_as(name, field)] for name, field in entry.options.model_fields.items()}
    one_answer = entry.together or indexed.has(entry)  # about all images together
    names = () if one_answer else session.names
    called = names or [_called(entry, given)]
    checked = given.get("check")
    if checked is None:
        checked = entry in able() and not entry.quick and not session.inputs.many
    files = _files(session, entry, called)
    bare = bare_places(given["bare"], called, entry.name, session.watch.note) if given.get("bare") else []
    film = film_place(given["film"], called, session.watch.note) if given.get("film") else None
    opened = {**indexed.opened_by(session, entry), **labeled.opened_by(session, entry)}
    networks = [] if indexed.has(entry) or entry.asks(Nets) or not entry.asks(Net) else [session.net]

    def one(images: Images | None, i: int) -> list[Answer]:
        nouns = {name: one for name, one in written(entry, given).items() if name not in opened}
        if top and images is not None:
            nouns[str(entry.argument(Target, Targets))] = session.net.top(images, top)
        found = Ask(entry.name, nouns, options).answer(*networks, *([images] if images is not None else []), **opened)
        found = list(found) if isinstance(found, tuple) else [found]
        if images is not None and checked:
            found = [annotate(session.net, images, result) for result in found]
        over = None if entry.together else images
        saved = save(found if len(found) > 1 else found[0], over, files[i], given["view"], session.watch.words)
        if bare:
            saved = [*saved, *(path for result in found for path in result.write(bare[i]))]
        for result in found:
            remark(session, entry.title, result, names[i] if session.inputs.many and names else "")
        return [Answer(names[i] if names else None, result, saved) for result in found]

    with previewing(given.get("preview")), _filming(film), labeled.shared_out(given):
        if entry.asks(Images) and not one_answer:
            session.stream(one, document, lines)
            return
        answers = session.together(one) if entry.asks(Images) else [one(None, 0)]
    found = [answer for several in answers for answer in several]
    report(session, found)
    for answer in found if limits else []:
        failing = answer.result.failing(limits)
        session.fails |= bool(failing)
        if failing:
            session.watch.error(f"--fail-on {given['fail_on']}: {', '.join(failing)} found", going_on=True)


@contextmanager
def _filming(file: Path | None) -> Iterator[None]:
    """What happens inside is filmed, where a file is named for it."""
    if file is None:
        yield
        return
    from pellucid.draw.film import film

    with film(file):
        yield


def _called(entry: Entry, given: Mapping[str, Any]) -> str:
    """What the file of an answer that is about no single image is called after."""
    if indexed.has(entry):
        return indexed.about(entry, given)
    named = given[entry.argument(Nets, Data, History) or "net"]
    return str(named if isinstance(named, str) else named[0])


def _many_classes(entry: Entry) -> bool:
    """Whether it answers about a class of each image, and may be asked about several."""
    return entry.asks(Target, Targets) and entry.asks(Images)


def _top(entry: Entry, given: Mapping[str, Any]) -> int | None:
    """How many of the most probable classes are asked about; targets that are none are refused before a network is
    loaded.
    """
    targets = (given["target"] if entry.asks(Target, Targets) else None) or ()
    top = given["top"] if _many_classes(entry) else None
    for target in targets if given["labels"] is None else ():  # else it may be the name of a class
        Target.of(target)
    if targets and top:
        raise PellucidError(
            f"--target {targets[0]!r} and --top {top}: ask for classes by name, or for the best guesses"
        )
    return top


def _files(session: Session, entry: Entry, called: Sequence[str]) -> list[list[Path]]:
    """Where each answer is saved; a table is told on stdout, unless a file or a format is named."""
    out, formats = session.given["out"], session.given["formats"]
    if entry.gives(Table) and not out and not formats:
        return [[] for _ in called]
    more = PAGES if any(map(entry.gives, PAGED)) else ()
    usual = PAGES[0] if entry.gives(Tour) else ".png"  # it is read from top to bottom: a page before a picture
    return places(out, called, entry.name, more=more, usual=usual, formats=formats, note=session.watch.note)
