"""Methods asked: one with a form, or several about several classes; and what they found as files."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from pellucid.catalogue import Entry, find
from pellucid.catalogue.ask import Ask
from pellucid.draw import draw
from pellucid.errors import Refused, UnknownName, unknown
from pellucid.evaluation.explainers import able
from pellucid.files import unplaced
from pellucid.images import Images
from pellucid.net import Net
from pellucid.nouns import Noun
from pellucid.result import Result
from pellucid.result.wire import wire
from pellucid.resume import resumable
from pellucid.target import Target
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.forms import asked
from pellucid.web.nouns import given, target
from pellucid.web.session import Session


def ask(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A method; `job` names the long work that this is, and goes on with."""
    question, nouns = _question(here, about)
    begun = time.monotonic()
    kept = about.get("job")
    with resumable(here.folder / "work" / str(kept)) if kept and question.entry.resumable else nullcontext():
        key, found = answered(here, question, nouns)
    if kept:
        shutil.rmtree(here.folder / "work" / str(kept), ignore_errors=True)  # the answer itself is kept
    yield {"key": key, "kind": type(found).__name__, "took": round(time.monotonic() - begun, 3)}, sent(found)


def known(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The key of a method's answer where it is kept; nothing is computed."""
    question, nouns = _question(here, about)
    key = here.store.key(question, **nouns)
    yield {"key": key if key in here.store else None}, b""


def _question(here: Session, about: Mapping[str, Any]) -> tuple[Ask, dict[str, Noun]]:
    """What a page asks, and what it asks about."""
    entry = find(about["method"])
    question = Ask(entry.name, {}, asked(entry, about.get("options", {}), here))
    return question, given(here, entry, about.get("nouns", {}))


def answered(here: Session, question: Ask, nouns: Mapping[str, Noun]) -> tuple[str, Result]:
    """(the key, the answer), from the store where it is known."""
    found = here.store.answer(question, **nouns)
    return here.store.key(question, **nouns), found


def sent(found: Result) -> bytes:
    """An answer for a page: its numbers; photos travel by their ids."""
    return wire(found, words=unplaced, without=("picture",))


def compare(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """Several methods about several classes of one picture, cell by cell, those that answer at once first."""
    net, image = here.remembering(about["net"], about["image"]), here.image(about["image"])
    known = {one.name: one for one in able()}
    wrong = next((name for name in about["methods"] if name not in known), None)
    if wrong is not None:
        raise unknown("method with maps of a class", wrong, known)
    said = about.get("targets") or ()
    targets = [target(here, one, net) for one in said]
    columns: list[dict[str, Any]] = [{"name": str(one)} for one in said]
    if not said:
        best = net.top(image, int(about.get("k", 5)))
        targets = [Target.of(one) for one in best]
        columns = [{"name": one.label, "class": one.index, "probability": one.probability} for one in best]
    rows = [known[name] for name in about["methods"]]
    yield {"columns": columns, "rows": [{"name": one.name, "title": one.title} for one in rows]}, b""
    for entry in sorted(rows, key=lambda one: (bool(one.quick), rows.index(one))):
        yield from _cells(here, net, image, entry, targets, rows.index(entry))


def _cells(here: Session, net: Net, image: Images, entry: Entry, targets: list[Target], row: int) -> Parts:
    """An answer for each target; one that is refused says why."""
    for column, one in enumerate(targets):
        place = {"row": row, "column": column}
        try:
            nouns = {"net": net, "images": image, "target": one}
            key, found = answered(here, Ask(entry.name, {}, dict(entry.quick)), nouns)
        except Refused as error:
            yield {**place, "error": str(error)}, b""
        else:
            yield {**place, "key": key, "kind": type(found).__name__}, sent(found)


def stored(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """An answer that was given before, by its key."""
    yield {}, sent(_kept(here, about["key"]))


def drawn(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """An answer as a file: a picture (png, svg), its exact numbers (npz), or what it says (json)."""
    found, kind = _kept(here, about["key"]), str(about["as"])
    name = f"{found.meta.asked.method}-{about['key'][:8]}"
    if kind == "json":
        yield {"name": name}, json.dumps(found.describe(), indent=2).encode()
        return
    file = here.folder / "work" / f"{about['key'][:16]}.{kind}"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        if kind == "npz":
            found.save(file)
        else:
            draw(found, dark=bool(about.get("dark"))).save(file)
        yield {"name": name}, file.read_bytes()
    finally:
        file.unlink(missing_ok=True)


def _kept(here: Session, key: str) -> Result:
    found = here.store.get(key)
    if found is None:
        raise UnknownName("this answer is forgotten: ask again")
    return found


ANSWERS: dict[str, Answer] = {"ask": ask, "known": known, "compare": compare, "stored": stored, "drawn": drawn}
