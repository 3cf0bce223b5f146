"""`pellucid explain`: the question that everyone asks first."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from pellucid.ask import explain, explained
from pellucid.catalogue import entries, find, options_of
from pellucid.cli.answer import Answer, document, lines, report
from pellucid.cli.common import common, images
from pellucid.cli.files import places, save
from pellucid.cli.kinds import Kind
from pellucid.cli.options import options_from
from pellucid.cli.page import Command, Option
from pellucid.cli.session import Session, running
from pellucid.cli.view import ViewOption
from pellucid.draw import view_options
from pellucid.errors import PellucidError
from pellucid.evaluation.trust import Forgetful
from pellucid.images import Images
from pellucid.notes import Note
from pellucid.result import Explanation


def command() -> click.Command:
    """The command; its options are those of `pellucid.explain`."""
    own = options_from(options_of(explain), kinds={"methods": Methods(), "truth": click.STRING})
    sheet = Option(
        "--sheet", metavar="PATH", section="Output",
        help="file for one picture of all images: a column for each image, a row for each method",
    )  # fmt: skip
    return Command(
        "explain", running(_explain), purpose="Explain a prediction with several methods, on one page",
        params=[images(), *own, ViewOption(view_options(Explanation)), sheet, *common(out=True)],
        examples=(
            "pellucid explain sample:panda",
            'pellucid explain sample:panda --truth koala --methods grad_cam,occlusion --view dark --out panda.png',
        ),
        details="Each row is a method, each column one of the most probable classes; all maps of a row have one scale. "
        "With --truth the columns are the predicted class, the correct one, and what speaks for the one rather than "
        "the other. Slow methods run with coarser settings, which the numbers record. `pellucid attribution` lists "
        "the methods. A regression has outputs in place of classes.",
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
    if sheet and given["formats"]:
        raise PellucidError(f"--sheet {sheet!r} and --format: the suffix of a file says what it is")
    if sheet and given["out"]:
        raise PellucidError(f"--sheet {sheet!r} and --out {given['out'][0]!r}: one picture of all, or one of each")
    note, names = session.watch.note, session.names
    together = places([sheet], ["sheet"], "sheet", "--sheet", note=note)[0] if sheet else []
    files = (
        [[] for _ in names] if sheet else places(given["out"], names, "explain", formats=given["formats"], note=note)
    )
    asked = {name: given[name] for name in ("classes", "methods", "truth")} | ({"classes": 1} if sheet else {})

    @functools.cache
    def network() -> Forgetful:
        return Forgetful(session.net)

    def one(picture: Images, i: int) -> Answer:
        found = explained(network(), picture, {"net": session.net, "images": picture}, **asked)
        answer = Answer(names[i], found, save(found, None, files[i], given["view"], session.watch.words))
        several = [names[i]] if session.inputs.many else []
        ranked = (
            f"{prediction.label} {prediction.logit:.4g}"
            if prediction.probability is None
            else f"{prediction.label} {prediction.probability:.1%}"
            for prediction in found.ranked
        )
        session.watch.remark(" · ".join([*several, *ranked]))
        for note in _notes(found, picture.notes):
            session.watch.note(note)
        return answer

    if not sheet:
        session.stream(lambda picture, i: [one(picture, i)], document, lines)
        return
    answers = [answer for _, answer in session.each(one)]
    if answers:
        save([answer.result for answer in answers], None, together, given["view"], session.watch.words)
    report(session, [dataclasses.replace(answer, saved=together) for answer in answers])


def _notes(found: Explanation, read: Iterable[Note]) -> Iterable[str]:
    """What the methods have to say, each thing once; what reading the image had to decide has been said."""
    return dict.fromkeys(
        f"{row.title}: {note}"
        for row in found.rows
        for heat in row.maps
        for note in heat.meta.notes
        if note not in read
    )
