"""One command for each method, made from its declaration. Importing this imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from pellucid.ask import Ask
from pellucid.catalogue import Entry, find
from pellucid.cli.files import places, save
from pellucid.cli.options import Command, Count, Option, common, images, option, options_from
from pellucid.cli.session import Session, finite, running
from pellucid.errors import PellucidError
from pellucid.result import Meta, Panel, Result
from pellucid.target import Target


@dataclass(frozen=True)
class Answer:
    """What was found for one picture (None for methods without), and the files that hold it."""

    image: str | None
    result: Any
    saved: list[Path]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the numbers themselves: those are for .npz files."""
        document: dict[str, Any] = {} if self.image is None else {"image": self.image}
        document |= _described(self.result)
        document |= {"saved": [str(path) for path in self.saved], "meta": self.result.meta.as_dict()}
        return dict(finite(document))


def _described(result: Any) -> dict[str, Any]:
    """What kind of result it is, and how large its numbers are; of a panel, each part."""
    facts: dict[str, Any] = {"kind": type(result).__name__}
    values = getattr(result, "values", None)
    if isinstance(values, np.ndarray) and values.size:
        facts |= {"shape": values.shape, "min": values.min().item(), "max": values.max().item()}
    facts |= {name: getattr(result, name) for name in ("unit", "names") if hasattr(result, name)}
    if isinstance(result, Panel):
        facts["parts"] = {name: _described(part) for name, part in result.parts.items()}
    return facts


def command(name: str) -> click.Command:
    """The command of a method."""
    entry = find(name)
    asks = entry.arguments
    params: list[click.Parameter] = [images()] if "images" in asks else []
    own = options_from(entry.options)
    if "target" in asks:
        target = asks["target"]
        about = (
            "a class by name, number or WordNet id; p(CLASS); CLASS - CLASS; LAYER:UNIT; out[I,J]; region(CLASS); "
            "box(CLASS,x1,y1,x2,y2); word(TOKEN,POSITION); sentence(TOKEN,...); similar(PATH)"
        )
        default = "" if target.default is target.empty else f"  [default: {target.default}]"
        several = "; given several times, all maps are drawn on one scale"
        params.append(
            Option(
                "-t", "--target", metavar="TARGET", help=about + several + default, required=not default, multiple=True
            )
        )
        params.append(option("--top", type=Count | None, help="the so many best guesses, on one scale"))
    taken = {param.name for param in own}
    params += [*own, *(option for option in common(out=True) if option.name not in taken)]
    doc = f"{entry.title}. {entry.doc}\n\n{entry.source}."
    return Command(name, running(lambda session: _ask(session, entry)), doc=doc, summary=entry.title, params=params)


def _ask(session: Session, entry: Entry) -> None:
    given = session.given
    targets, top = given.get("target") or (), given.get("top")
    for target in targets:
        Target.of(target)  # nonsense is answered before a network is loaded
    if targets and top:
        raise PellucidError(
            f"--target {targets[0]!r} and --top {top}: ask for classes by name, or for the best guesses"
        )
    options = {name: given[name] for name in entry.options.model_fields}
    ask = Ask(entry.name, targets[0] if targets else None, options)
    names = given.get("images", ())
    files = places(given["out"], names or [given["net"]], entry.name)

    def one(picture: Any, i: int) -> list[Answer]:
        if top or len(targets) > 1:
            asked = session.net.top(picture, top) if top else targets
            found = entry.function(session.net, picture, list(asked), **options)
            saved = save(found, picture, files[i], given["look"] or {})
        else:
            found = [ask.answer(session.net, picture)]
            saved = save(found[0], picture, files[i], given["look"] or {})
        for result in found:
            _remark(session, entry.title, result, names[i] if len(names) > 1 else "")
        return [Answer(names[i] if names else None, result, saved) for result in found]

    answers = session.each(one) if "images" in entry.arguments else [one(None, 0)]
    report(session, [answer for several in answers for answer in several])


def report(session: Session, answers: list[Answer]) -> None:
    """The files on stdout, one a line, or the JSON document."""
    paths = "\n".join(dict.fromkeys(str(path) for answer in answers for path in answer.saved))
    session.tell({"results": [answer.as_dict() for answer in answers]}, lambda: click.echo(paths, nl=bool(paths)))


def _remark(session: Session, title: str, result: Result, image: str) -> None:
    """What was asked and what the method has to say about its answer."""
    meta: Meta = getattr(result, "meta", Meta())
    said = [image, title] if image else [title]
    if meta.target:
        said.append(meta.target)
    if meta.score:
        said.append(f"score {meta.score[0]:.4g}")
    session.watch.remark(" · ".join(said))
    for note in meta.notes:
        if not any(note.startswith(f"{name}: ") for name in meta.images):  # said when the picture was read
            session.watch.note(note)
