"""From the catalogue to forms, and from what a form sends to options. No text of a page opens anything."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pellucid import __version__
from pellucid.catalogue import Entry, entries, validated
from pellucid.catalogue.ask import Ask
from pellucid.catalogue.options import Options, result_of
from pellucid.described import Shell
from pellucid.errors import PellucidError, unknown
from pellucid.files import write_atomically
from pellucid.images import Images
from pellucid.net.nets import Nets
from pellucid.target import Target
from pellucid.target.similarity import Similarity

WORDS = {"explainers", "recipe", "extent", "direction", "ask"}
"""Formats of nouns whose text is read by a grammar and opens nothing."""
QUICK = {"attribution", "activations", "filters"}
"""Chapters whose methods answer within seconds, as long as nothing else is known of them."""
PICTURES = {"image"}
"""Those that stand for pictures, which a page gives by their ids."""
NETWORKS = {"nets"}
"""Those that stand for networks, which a page gives by their ids as well."""
_FILES = {"FILE", "FOLDER"}
"""How a command line writes an option whose text is the name of a file."""
_NUMBERS = {"boolean", "integer", "number"}
_DEEPEST = 4
"""Questions within questions."""


def forms(folder: Path) -> list[dict[str, Any]]:
    """Every method for a page. To make those of ours takes longer than to load a network, so they are kept in `folder`
    until a file of the package changes; one of another package that cannot be imported is named with the reason.
    """
    every = entries()
    ours = [one for one in every if not one.package]
    package = Path(__file__).parents[1]
    states = [one.stat() for one in package.rglob("*.py")]
    known = f"{__version__} {len(states)} {max(one.st_mtime_ns for one in states)} {sum(one.st_size for one in states)}"
    file = folder / f"forms-{hashlib.sha256(known.encode()).hexdigest()[:16]}.json"
    try:
        found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = [form(one) for one in ours]
        for old in folder.glob("forms-*.json"):
            old.unlink(missing_ok=True)
        write_atomically(file, lambda out: out.write(json.dumps(found).encode()))
    return found + [_of_others(one) for one in every if one.package]


def _of_others(entry: Entry) -> dict[str, Any]:
    try:
        return form(entry)
    except PellucidError as error:
        return {"name": entry.name, "title": entry.title, "chapter": entry.chapter, "broken": str(error)}


def form(entry: Entry) -> dict[str, Any]:
    """A method for a page: what it is, what it asks about, and the schema of its options."""
    arguments = entry.arguments
    return {
        "name": entry.name, "title": entry.title, "chapter": entry.chapter, "purpose": entry.purpose,
        "shows": entry.shows, "source": entry.source, "doc": entry.doc, "over": entry.over,
        "quick": dict(entry.quick), "long": entry.chapter not in QUICK,
        "nouns": {
            name: {"format": kind.format, "written": kind.written, "many": kind.many,
                   "help": kind.help, "sample": next(iter(kind.samples), kind.written),
                   "needed": arguments[name].default is inspect.Parameter.empty}
            for name, kind in entry.nouns.items()
        },
        "gives": result_of(entry.plainly).__name__, "options": _schema(entry.options),
    }  # fmt: skip


@runtime_checkable
class Here(Protocol):
    """What is open, by its ids."""

    def image(self, number: str) -> Images: ...

    def several(self, said: str | list[str]) -> Nets: ...


def asked(entry: Entry, options: Mapping[str, Any], here: Here, depth: int = 0) -> dict[str, Any]:
    """The options that a page sent: pictures and networks for their ids, words for what only words can be.
    PellucidError for a text that would be read as the name of a file, also within a question that is an option of
    another (`depth`).
    """
    if depth > _DEEPEST:
        raise PellucidError(f"{entry.name}: questions within questions, more than {_DEEPEST} of them")
    schema = _schema(entry.options)["properties"]
    found = {}
    for name, value in options.items():
        if name not in schema:
            raise unknown(f"option of {entry.name}", name, schema)
        if any(isinstance(one, Shell) and one.value in _FILES for one in entry.options.model_fields[name].metadata):
            raise PellucidError(f"{entry.name}: {name} is the name of a file, which is given on the command line only")
        found[name] = _given(f"{entry.name}: {name}", schema[name], value, here)
    made = dict(validated(entry.plainly, found)) if found else found
    for one in _asks(list(made.values())):
        if one.nouns:
            raise PellucidError(f"{entry.name}: what {one.method} is asked about is what {entry.name} is asked about")
        asked(one.entry, one.options, here, depth + 1)
    return made


def without_files(value: Any, image: Callable[[str], Images]) -> Any:
    """A target, with pictures for the ids that its similarities name. PellucidError where they name anything else."""
    if isinstance(value, Similarity) and not _is_numbers(value.to):
        try:
            return dataclasses.replace(value, to=image(str(value.to)))
        except PellucidError as error:
            raise PellucidError("similar(…) is asked here about a picture that was dropped, by its id") from error
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.init}
        changed = {name: without_files(one, image) for name, one in parts.items()}
        if any(changed[name] is not one for name, one in parts.items()):
            return dataclasses.replace(value, **changed)
    if isinstance(value, (tuple, list)):
        found = [without_files(one, image) for one in value]
        return type(value)(found) if any(a is not b for a, b in zip(found, value, strict=True)) else value
    return value


def _given(what: str, schema: Mapping[str, Any], value: Any, here: Here) -> Any:
    parts = list(_parts(schema))
    formats = {one["format"] for one in parts if "format" in one} - WORDS
    words = {word for one in parts for word in (*one.get("enum", ()), *([one["const"]] if "const" in one else ()))}
    if not formats or value is None or (isinstance(value, str) and value in words):
        return value
    if isinstance(value, (bool, int, float)) and any(one.get("type") in _NUMBERS for one in parts):
        return value
    if formats <= PICTURES and isinstance(value, Mapping) and set(value) == {"image"}:
        return here.image(str(value["image"]))
    if formats == NETWORKS and isinstance(value, Mapping) and set(value) == {"nets"}:
        return here.several(list(map(str, value["nets"])) if isinstance(value["nets"], list) else str(value["nets"]))
    if formats == {"target"} and isinstance(value, (str, int)):
        return without_files(Target.of(value), here.image)
    ways = ", ".join([*sorted(map(str, words)), *(["a picture that is here"] if formats <= PICTURES else [])])
    raise PellucidError(f"{what} is given on the command line only" if not ways else f"{what} is one of: {ways}")


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and every one within it: of alternatives, and of the parts of a list."""
    yield schema
    items = schema.get("items")
    for one in (*schema.get("anyOf", ()), *schema.get("prefixItems", ()), *([items] if items else ())):
        yield from _parts(one)


def _asks(value: Any) -> Iterator[Ask]:
    """The questions that stand within the value of an option."""
    if isinstance(value, Ask):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _asks(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _asks(getattr(value, field.name, None))


@cache
def _schema(options: type[Options]) -> dict[str, Any]:
    return options.model_json_schema()


def _is_numbers(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) and not hasattr(value, "__fspath__")
