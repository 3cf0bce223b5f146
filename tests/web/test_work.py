"""A lane of a worker: what is stopped ends where work may be stopped, and the next question is taken up."""

from __future__ import annotations

import io
import queue
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pellucid.progress import steps, stop_point
from pellucid.web.answers import ANSWERS
from pellucid.web.work import Answering


class Heard(Answering):
    """Says to a queue what it would write."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())
        self.said = queue.SimpleQueue[dict[str, Any]]()
        self.session: Any = None

    def send(self, about: Mapping[str, Any], body: bytes = b"") -> None:
        self.said.put(dict(about))

    def next(self) -> dict[str, Any]:
        return self.said.get(timeout=10)


def passes(here: Any, about: dict[str, Any], body: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """One step that never ends, of many passes."""
    for _ in steps([0], "step"):
        while True:
            stop_point()
            time.sleep(0.001)
    yield {}, b""


def at_once(here: Any, about: dict[str, Any], body: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    yield {"there": True}, b""


def test_a_stopped_question_ends_within_its_step_and_frees_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "passes", passes)
    monkeypatch.setitem(ANSWERS, "at_once", at_once)
    here = Heard()
    here.take({"id": 1, "do": "passes"}, b"")
    assert here.next() == {"id": 1, "begun": True}
    assert here.next() == {"id": 1, "progress": [["step", 0, 1]]}
    for number in (2, 3):
        here.take({"id": number, "do": "at_once"}, b"")
    here.take({"stop": 2}, b"")  # it waits, and never begins
    here.take({"stop": 1}, b"")
    stopped = {"end": True, "error": "stopped", "kind": "Stopped"}
    assert here.next() == {"id": 2, **stopped}
    assert here.next() == {"id": 1, **stopped}
    assert [here.next() for _ in range(3)] == [
        {"id": 3, "begun": True},
        {"id": 3, "there": True},
        {"id": 3, "end": True},
    ]
    here.end()
