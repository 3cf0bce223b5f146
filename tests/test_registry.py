"""Registries: what is declared is found in the source, without importing it; names are unique; failures are kept."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid import registry
from pellucid.errors import BadPlugin, PellucidError, UnknownName
from pellucid.registry import Registry, _decorated

Write = Callable[..., None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files of a package `toys`, which is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("toys/__init__.py", "raise RuntimeError('imported')")
    yield write
    for name in [name for name in sys.modules if name.split(".")[0] in ("toys", "shop")]:
        del sys.modules[name]


def toys(monkeypatch: pytest.MonkeyPatch, **points: str) -> Registry:
    offered = [EntryPoint(name, place, "pellucid.toys") for name, place in points.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: offered if group == "pellucid.toys" else [])
    return Registry("pellucid.toys", "toy", "toys", mark="toy", called=lambda name, first, said: str(first))


BALL = "from x import toy\n@toy('ball', price=3)\nclass Ball: ...\n"


def test_declarations_are_read_without_importing(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("toys/ball.py", BALL)
    home("toys/other.py", "@y.toy('kite', price=(1, 2))\n@toy('dragon')\ndef kite(): ...\ndef toy(): ...\n")
    rows = {row.name: row for row in toys(monkeypatch).rows()}
    assert list(rows) == ["ball", "kite", "dragon"]
    assert (rows["ball"].place, rows["ball"].said, rows["ball"].package) == ("toys.ball:Ball", {"price": 3}, "")
    assert rows["kite"].said == {"price": (1, 2)}
    assert rows["dragon"].place == rows["kite"].place == "toys.other:kite"
    assert "toys" not in sys.modules


def test_what_is_asked_for_is_imported(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("toys/__init__.py", "")
    home("toys/ball.py", "def toy(*_, **__): return lambda x: x\n@toy('ball')\nclass Ball: ...\n")
    known = toys(monkeypatch)
    assert known.get("ball") is sys.modules["toys.ball"].Ball
    assert known.has("ball")
    assert not known.has("bell")
    with pytest.raises(UnknownName, match="no toy 'bell'; nearest of 1: ball"):
        known.get("bell")


def test_an_argument_that_is_no_literal_is_refused(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("toys/ball.py", "@toy('ball', price=PRICE)\nclass Ball: ...\n")
    with pytest.raises(PellucidError, match=r"toys/ball.py.*line 1.*toy.*literals"):
        toys(monkeypatch).rows()


def test_two_of_one_name(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("toys/ball.py", BALL)
    home("shop/__init__.py", "")
    home("shop/round.py", BALL)
    known = toys(monkeypatch, ball="shop.round:Ball")
    assert known.row("ball").place == "toys.ball:Ball"  # ours stays
    (failure,) = known.failures()
    assert str(failure) == "the toy 'ball' of the package shop cannot be used: toys.ball:Ball has this name"
    ball = type("Ball", (), {"__module__": "here"})
    with pytest.raises(PellucidError, match=r"here defines a toy 'ball', which toys.ball has already"):
        known.add(ball, "ball")
    home("toys/late.py", BALL)
    known.forget()
    with pytest.raises(PellucidError, match=r"toys.late:Ball is declared as toy 'ball', a name taken already"):
        known.rows()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_at_all\n" + BALL, "ModuleNotFoundError: No module named 'nothing_at_all'"),
        ("class Ball: ...\n", "shop.round:Ball is declared by no @toy(…)"),
        ("class Ball\n", "SyntaxError: expected ':'"),
        ("", "AttributeError: module 'shop.round' has no attribute 'Ball'"),
    ],
)
def test_failures_are_kept(text: str, said: str, home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("toys/kite.py", "@toy('kite')\ndef kite(): ...\n")
    home("shop/__init__.py", "")
    home("shop/round.py", text)
    known = toys(monkeypatch, ball="shop.round:Ball")
    assert known.row("kite").place == "toys.kite:kite"
    for _ in range(2):
        with pytest.raises(BadPlugin, match="the toy 'ball' of the package shop cannot be used: ") as caught:
            known.get("ball")
        assert said in str(caught.value)
    assert [one.reason.partition(" (")[0] for one in known.failures()] == [said]


def test_what_is_handed_on_is_found_where_it_is_defined(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home("shop/__init__.py", "from shop.round import Ball\n")
    home("shop/round.py", "def toy(*_, **__): return lambda x: x\n@toy('ball', price=4)\nclass Ball: ...\n")
    row = toys(monkeypatch, ball="shop:Ball").row("ball")
    assert (row.place, row.said, row.package) == ("shop.round:Ball", {"price": 4}, "shop")


def test_what_is_defined_here_is_there_too(home: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook, where nothing has an entry point; defined again, it is the new one."""
    known = toys(monkeypatch)
    for price in (1, 2):
        ball: Any = type("Ball", (), {"__module__": "notebook", "price": price})
        known.declare("ball", price=price)(ball)
        assert known.get("ball") is ball
        assert [(row.name, row.said) for row in known.rows()] == [("ball", {"price": price})]


def test_what_no_decorator_declares_is_there_once_its_home_is_imported(
    home: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Registry("pellucid.games", "game", "toys.games", "toys.chess", called=lambda name, first, said: str(first))
    monkeypatch.setattr(registry, "games", known, raising=False)
    home("toys/__init__.py", "")
    home("toys/chess.py", "from pellucid import registry\nclass Chess: ...\nregistry.games.add(Chess, 'chess')\n")
    assert known.names() == ()
    assert known.get("chess").__name__ == "Chess"
    assert not known.has("draughts")


@pytest.mark.slow
def test_what_is_read_of_a_source_is_what_a_whole_reading_finds() -> None:
    """Names, arguments and lines of every decorated thing of ours, and of one that begins in a text."""

    def said(nodes: Iterable[ast.stmt]) -> set[tuple[str, str, int]]:
        decorated = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        calls = [(node.name, call) for node in decorated for call in node.decorator_list]
        return {(name, ast.dump(call), call.lineno) for name, call in calls if "method(" in ast.unparse(call)}

    text = '"""\n@method(\n"""\n\n@method("A", source="b")\nclass C(int):\n    x = 1\n'
    files = [path.read_text() for path in Path(pellucid.__file__).parent.rglob("*.py")]
    count = 0
    for one in (text, *(one for one in files if re.search("^@method", one, re.M))):
        found = said(_decorated(one, "method("))
        assert found == said(ast.parse(one).body)
        count += len(found)
    assert count > 100
