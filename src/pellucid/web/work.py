"""A worker: the process that has torch and the networks. It reads questions from a pipe and answers into another."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from pellucid.errors import PellucidError, is_out_of_memory
from pellucid.progress import Stack, listen, stoppable, view
from pellucid.web.frames import packed, read

if TYPE_CHECKING:
    from pellucid.web.session import Session

_OFTEN = 0.2
"""Seconds between two words about progress."""
_SELDOM = 1.0
"""Seconds between two previews."""
_PREVIEW = 480
"""Pixels of the longer side of a preview."""
LANES = dict.fromkeys(
    ("picture", "predict", "upload", "frame", "stage", "layers", "layer_maps", "cell", "index", "units", "unit",
     "indexed_picture", "set", "set_before", "set_named", "sets", "lines", "known"), "now",
) | {"thumbs": "thumbs", "set_mean": "mean"}  # fmt: skip
"""Which questions do not wait behind others; all else is asked one after the other."""


Question: TypeAlias = tuple[int, dict[str, Any], bytes]
"""Its number, what is asked, and the bytes that came with it."""


class Stopped(BaseException):
    """Nobody waits for the answer any more."""


class Told:
    """Listens to the progress of one answer, and ends it where it was stopped."""

    def __init__(self, worker: Answering, number: int) -> None:
        self.worker, self.number, self.stack, self.said = worker, number, Stack(), 0.0

    def __call__(self, what: str, done: int, total: int | None) -> None:
        self.worker.check(self.number)
        self.stack.heard(what, done, total)
        now = time.monotonic()
        if now - self.said > _OFTEN:
            self.said = now
            works = [[one.what, one.done, one.total] for one in self.stack.shown()]
            self.worker.send({"id": self.number, "progress": works})


class Shown:
    """Shows how far a picture has come, as a JPEG."""

    def __init__(self, worker: Answering, number: int) -> None:
        self.worker, self.number, self.said = worker, number, 0.0

    def __call__(self, picture: Any) -> None:
        now = time.monotonic()
        if now - self.said > _SELDOM:
            from PIL import Image

            from pellucid.web.answers.pictures import jpeg

            self.said = now
            shown = Image.fromarray(picture.squeeze())
            shown.thumbnail((_PREVIEW, _PREVIEW))
            self.worker.send({"id": self.number, "preview": True}, jpeg(shown))


class Answering:
    """Takes questions, hands them to lanes, and writes what these say."""

    session: Session
    """What is open, once it is."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.lock = out, threading.Lock()
        self.known: dict[int, Literal["queued", "running", "stopped"]] = {}
        """The questions that are not answered yet."""
        self.lanes: dict[str, queue.SimpleQueue[Question | None]] = {}

    def send(self, about: Mapping[str, Any], body: bytes = b"") -> None:
        """A message to the server."""
        with self.lock:
            self.out.write(packed(about, body))
            self.out.flush()

    def describe(self) -> None:
        """Say which methods there are; a page does not wait for that to show a picture."""
        from pellucid.web.forms import forms

        self.send({"methods": forms(self.session.folder)})

    def take(self, about: dict[str, Any], body: bytes) -> None:
        """A question, or the word that one is not waited for any more."""
        if "stop" in about:
            self._stop(about["stop"])
            return
        name = LANES.get(about["do"], "ask")
        if name not in self.lanes:
            self.lanes[name] = queue.SimpleQueue()
            threading.Thread(target=self._lane, args=(self.lanes[name],), name=name, daemon=True).start()
        number = about.pop("id")
        self.known[number] = "queued"
        self.lanes[name].put((number, about, body))

    def end(self) -> None:
        """Take nothing more: every lane ends behind what it does."""
        for lane in self.lanes.values():
            lane.put(None)

    def check(self, number: int) -> None:
        """Raise Stopped where nobody waits for that any more."""
        if self.known.get(number) == "stopped":
            raise Stopped

    def _stop(self, number: int) -> None:
        with self.lock:
            before = self.known.get(number)
            if before == "queued":
                del self.known[number]
            elif before == "running":  # it ends itself at its next step
                self.known[number] = "stopped"
        if before != "running":  # also for what has ended meanwhile: the server waits for a word
            self.send({"id": number, "end": True, **_STOPPED})

    def _lane(self, questions: queue.SimpleQueue[Question | None]) -> None:
        while (asked := questions.get()) is not None:
            number, about, body = asked
            with self.lock:
                waited = self.known.get(number) == "queued"
                if waited:
                    self.known[number] = "running"
            if waited:
                self._answer(number, about, body)

    def _answer(self, number: int, about: dict[str, Any], body: bytes) -> None:
        from pellucid.web.answers import ANSWERS

        ended: dict[str, Any] = {}
        try:
            self.send({"id": number, "begun": True})
            with listen(Told(self, number)), view(Shown(self, number)), stoppable(partial(self.check, number)):
                for part, content in ANSWERS[about.pop("do")](self.session, about, body):
                    self.check(number)
                    self.send({"id": number, **part}, content)
        except BaseException as error:  # whatever it is: the lane goes on
            ended = _said(error)
        with self.lock:
            del self.known[number]
        self.send({"id": number, "end": True, **ended})


_STOPPED = {"error": "stopped", "kind": "Stopped"}


def _said(error: BaseException) -> dict[str, Any]:
    """Why there is no answer, in one line."""
    if isinstance(error, Stopped):
        return _STOPPED
    if isinstance(error, PellucidError):
        return {"error": str(error), "kind": type(error).__name__}
    if is_out_of_memory(error):
        return {"error": "there is not enough memory for that", "kind": "OutOfMemory"}
    traceback.print_exception(error)  # the page says that it failed, whoever began the server reads why
    return {"error": "this failed inside; the reason stands where the server was begun", "kind": "Fault"}


def main() -> None:
    """Answer until the pipe ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no message
    source = sys.stdin.buffer
    first = read(source)
    if first is None:
        return
    given = first[0]
    os.environ["MPLCONFIGDIR"] = str(Path(given["folder"]) / "fonts")  # where the worker may write
    answering = Answering(out)
    answering.send({"state": "loading torch"})
    import torch

    torch.set_num_threads(int(given.get("threads") or 1))
    from pellucid.web.session import enclosed, opened

    try:
        answering.session = opened(given, answering.send)
    except PellucidError as error:
        answering.send({"state": "refused", "error": str(error)})
        return
    enclosed(answering.session, given)
    threading.Thread(target=answering.describe, name="forms", daemon=True).start()
    while (message := read(source)) is not None:
        answering.take(*message)


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # lanes may still be at work inside torch, which aborts with a message where Python ends beside it
