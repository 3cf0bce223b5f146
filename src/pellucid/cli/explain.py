"""`pellucid explain`: the question that everyone asks first."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from pellucid.ask import explain
from pellucid.catalogue import entries, find
from pellucid.cli.answers import Answer, report
from pellucid.cli.files import places, save
from pellucid.cli.options import Command, Count, Kind, Option, common, images, option
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.notes import Note
from pellucid.result import Explanation


def command() -> click.Command:
    """The command; its defaults are those of `pellucid.explain`."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(explain).parameters.items()}
    methods = ",".join(defaults["methods"])
    own = [
        option("--classes", type=Count, default=defaults["classes"], help="how many of the best guesses"),
        Option("--methods", metavar="NAME,…", type=Methods(), default=methods,
               help=f"attribution methods, see `pellucid methods`, or all  [default: {methods}]"),
        Option("--truth", metavar="CLASS", help="what it should have been: best guess, truth, and difference"),
        Option("--sheet", metavar="PATH", help="one picture of all photos instead: a row for each method"),
    ]  # fmt: skip
    return Command(
        "explain", running(_explain), doc=inspect.getdoc(explain) or "", summary="Why this answer?",
        params=[images(), *own, *common(out=True)],
    )  # fmt: skip


class Methods(Kind):
    """Names of methods with commas between."""

    name = "NAME,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "all":
            return value
        names = [name.strip().replace("-", "_") for name in value.split(",")] if isinstance(value, str) else value
        return tuple(find(name).name for name in names)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        done, comma, begun = incomplete.rpartition(",")
        found = (entry.name for entry in entries() if entry.name.startswith(begun))
        return [CompletionItem(f"{done}{comma}{name}") for name in found]


def _explain(session: Session) -> None:
    given = session.given
    sheet = given["sheet"]
    if sheet and given["out"]:
        raise PellucidError(f"--sheet {sheet!r} and --out {given['out'][0]!r}: one picture of all, or one of each")
    together = places([sheet], ["sheet"], "sheet")[0] if sheet else []
    files = [[] for _ in given["images"]] if sheet else places(given["out"], given["images"], "explain")
    asked = {name: given[name] for name in ("classes", "methods", "truth")} | ({"classes": 1} if sheet else {})

    def one(picture: Images, i: int) -> Answer:
        found = explain(session.net, picture, **asked)
        answer = Answer(
            given["images"][i], found, save(found, None, files[i], given["look"] or {}, session.watch.words)
        )
        several = [given["images"][i]] if len(given["images"]) > 1 else []
        guesses = (
            f"{guess.label} {guess.logit:.4g}"
            if guess.probability is None
            else f"{guess.label} {guess.probability:.1%}"
            for guess in found.guesses
        )
        session.watch.remark(" · ".join([*several, *guesses]))
        for note in _notes(found, picture.notes):
            session.watch.note(note)
        return answer

    answers: list[Answer] = [*session.each(one)]
    if together and answers:
        save([answer.result for answer in answers], None, together, given["look"] or {}, session.watch.words)
        answers = [dataclasses.replace(answer, saved=together) for answer in answers]
    report(session, answers)


def _notes(found: Explanation, read: Iterable[Note]) -> Iterable[str]:
    """What the methods have to say, each thing once; what reading the image had to decide has been said."""
    return dict.fromkeys(
        f"{row.title}: {note}"
        for row in found.rows
        for heat in row.maps
        for note in heat.meta.notes
        if note not in read
    )
