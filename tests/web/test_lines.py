"""The lines that a page shows for a question are understood by Python and by the command line."""

from __future__ import annotations

import ast
import shlex
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest

from pellucid.catalogue import Entry, entries, find
from pellucid.cli.group import group
from pellucid.errors import PellucidError
from pellucid.images import read
from pellucid.web.answers.lines import lines
from pellucid.web.nouns import is_askable
from pellucid.web.session import Session

_SAID = {
    "image": "s-panda", "images": ["s-panda"], "data": "f-1", "index": "i0", "unit": "blocks.4:17", "target": "koala",
    "nets": ["n0"],
}  # fmt: skip
"""What a page says for a noun, by its format."""


@pytest.fixture
def here() -> Session:
    """A session with a folder and an index whose places nobody should read."""
    index = SimpleNamespace(store=SimpleNamespace(folder="/home/ann/secret/photos.index"))
    held = SimpleNamespace(
        text=lambda number: "bundled", folders={"f-1": "/home/ann/secret/photos"},
        index=lambda number: index, image=lambda number: read("sample:panda"),
    )  # fmt: skip
    return cast(Session, held)


def _lines(here: Session, method: str, nouns: dict[str, Any], options: dict[str, Any]) -> dict[str, str]:
    ((found, _),) = lines(here, {"method": method, "nouns": nouns, "options": options}, b"")
    return found


def _parsed(line: str) -> click.Context:
    first, *words = shlex.split(line)
    assert first == "pellucid"
    context = click.Context(group())
    _, made, rest = group().resolve_command(context, words)
    while isinstance(made, click.Group):
        _, made, rest = made.resolve_command(context, rest)
    assert made is not None
    return made.make_context(words[0], rest)


@pytest.mark.parametrize("entry", [one for one in entries() if is_askable(one)], ids=lambda entry: entry.name)
def test_they_are_understood(here: Session, entry: Entry) -> None:
    nouns = {name: _SAID[kind.format] for name, kind in entry.nouns.items() if kind.format != "net"}
    found = _lines(here, entry.name, nouns, {})
    ast.parse(found["python"])
    assert f"pl.{entry.chapter}.{entry.name}(" in found["python"]
    assert "secret" not in str(found)
    if not any(field.is_required() for field in entry.options.model_fields.values()):
        _parsed(found["shell"])


def test_what_was_said_stands_in_them(here: Session) -> None:
    options = {"fill": {"image": "s-koala"}, "per_pixel": False, "stride": 12, "size": [40, 30]}
    found = _lines(here, "occlusion", {"images": "s-panda", "target": 'a "b" $(rm)'}, options)
    tree = ast.parse(found["python"])
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.keywords) == 4)
    assert {one.arg: ast.literal_eval(one.value) for one in call.keywords} == {**options, "fill": "sample:koala"}
    assert ast.literal_eval(call.args[2]) == 'a "b" $(rm)'
    given = _parsed(found["shell"]).params
    assert (given["stride"], given["per_pixel"]) == (12, False)
    assert 'a "b" $(rm)' in str(given["target"])


def test_an_option_that_is_none(here: Session) -> None:
    with pytest.raises(PellucidError, match="nearest"):
        _lines(here, "grad_cam", {"images": "s-panda"}, {"layr": "x"})
    assert find("grad_cam").options.model_fields.keys() >= {"layer"}
