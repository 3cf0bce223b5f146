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
from pellucid.cli.options import Command, Option, common, images, options_from
from pellucid.cli.session import Session, finite, running
from pellucid.result import Meta, Result
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
        document["kind"] = type(self.result).__name__
        values = getattr(self.result, "values", None)
        if isinstance(values, np.ndarray) and values.size:
            document |= {"shape": values.shape, "min": values.min().item(), "max": values.max().item()}
        for fact in ("unit", "names"):
            if hasattr(self.result, fact):
                document[fact] = getattr(self.result, fact)
        document |= {"saved": [str(path) for path in self.saved], "meta": self.result.meta.as_dict()}
        return dict(finite(document))


def command(name: str) -> click.Command:
    """The command of a method."""
    entry = find(name)
    asks = entry.arguments
    params: list[click.Parameter] = [images()] if "images" in asks else []
    own = options_from(entry.options)
    if "target" in asks:
        target = asks["target"]
        about = "a class by name, number or WordNet id; p(CLASS); CLASS - CLASS; LAYER:UNIT"
        default = "" if target.default is target.empty else f"  [default: {target.default}]"
        params.append(Option("-t", "--target", metavar="TARGET", help=about + default, required=not default))
    taken = {param.name for param in own}
    params += [*own, *(option for option in common(out=True) if option.name not in taken)]
    doc = f"{entry.title}. {entry.doc}\n\n{entry.source}."
    return Command(name, running(lambda session: _ask(session, entry)), doc=doc, summary=entry.title, params=params)


def _ask(session: Session, entry: Entry) -> None:
    given = session.given
    target = given.get("target")
    if target is not None:
        Target.of(target)  # nonsense is answered before a network is loaded
    ask = Ask(entry.name, target, {name: given[name] for name in entry.options.model_fields})
    names = given.get("images", ())
    files = places(given["out"], names or [given["net"]], entry.name)

    def one(picture: Any, i: int) -> Answer:
        result = ask.answer(session.net, picture)
        answer = Answer(names[i] if names else None, result, save(result, picture, files[i], given["look"] or {}))
        _remark(session, entry.title, result, names[i] if len(names) > 1 else "")
        return answer

    report(session, session.each(one) if "images" in entry.arguments else [one(None, 0)])


def report(session: Session, answers: list[Answer]) -> None:
    """The files on stdout, one a line, or the JSON document."""
    paths = "\n".join(str(path) for answer in answers for path in answer.saved)
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
