"""Progress of long work: whoever does the work says how far it is, whoever watches listens.

The worker loops over `steps(...)` and knows no terminal; the terminal, page or notebook registers with
`listen(...)` and knows no method. A listener may raise to stop the work: nothing is caught on the way. Whoever would
not wait for the end of a step says so by `stoppable(...)`, and is asked in the middle of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # the command line listens before numpy is there
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass
class Work:
    """One loop that reports: how far it is."""

    what: str
    done: int
    total: int | None

    def __str__(self) -> str:
        return f"{self.what} {self.done} of {self.total}" if self.total else f"{self.what} {self.done or ''}".strip()


class Stack:
    """Loops within loops, the outermost first, as a listener hears of them."""

    def __init__(self) -> None:
        self.works: list[Work] = []

    def heard(self, what: str, done: int, total: int | None) -> None:
        """One step of a loop. A loop announces itself with done = 0, also within another."""
        if done == 0:
            self.works.append(Work(what, 0, total))
            return
        while self.works and (self.works[-1].what, self.works[-1].total) != (what, total):
            self.works.pop()  # a loop within, left before its end
        if self.works:
            self.works[-1].done = done
            if done == total:
                self.works.pop()

    def shown(self) -> list[Work]:
        """The outermost loop and the two innermost of more than one step: three lines tell enough."""
        inner = [work for work in self.works[1:] if work.total != 1]
        return self.works[:1] + inner[-2:]


Listener = Callable[[str, int, int | None], None]
"""listener(what, done, total); total is None where it is not known."""

Viewer = Callable[["NDArray[np.uint8]"], None]
"""viewer(picture), (H, W, C) in 8 bits."""

Check = Callable[[], None]
"""check() raises where the work is to be stopped, and no Exception, which a network may catch."""

COMPILER = "torch._dynamo"
"""What torch imports with the first optimizer of a process: 2 to 5 s."""

_checks: ContextVar[tuple[Check, ...]] = ContextVar("pellucid_checks", default=())
_viewers: ContextVar[tuple[Viewer, ...]] = ContextVar("pellucid_previews", default=())
_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("pellucid_progress", default=())


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Send all progress made inside the `with` block, in this thread or task, to `listener`."""
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


def heard() -> bool:
    """Whether anybody listens, in this thread or task."""
    return bool(_listeners.get())


@contextmanager
def view(viewer: Viewer) -> Iterator[None]:
    """Show all unfinished pictures made inside the `with` block, in this thread or task, to `viewer`."""
    token = _viewers.set((*_viewers.get(), viewer))
    try:
        yield
    finally:
        _viewers.reset(token)


@contextmanager
def stoppable(check: Check) -> Iterator[None]:
    """Ask `check` wherever the work made inside the `with` block, in this thread or task, may be stopped between two of
    its steps: ahead of every layer of a pass through a network, forward or back.
    """
    token = _checks.set((*_checks.get(), check))
    try:
        yield
    finally:
        _checks.reset(token)


def stop_point() -> None:
    """What follows takes a while, and nothing ends it: whoever wants the work to be stopped raises here."""
    for check in _checks.get():
        check()


def stop_check() -> Check | None:
    """`stop_point` for a thread that works for this one, as those of a backward pass do; None where nobody would stop
    the work.
    """
    checks = _checks.get()

    def check() -> None:
        for one in checks:
            one()

    return check if checks else None


def imported(name: str) -> ModuleType:
    """A module whose import takes seconds, which nothing could stop: where somebody may want to, a thread of its own
    imports it, to the end in any case, and this one asks ten times a second.
    """
    if (check := stop_check()) and name not in sys.modules:
        importing = Thread(target=import_module, args=(name,), daemon=True)
        importing.start()
        while importing.is_alive():
            check()
            importing.join(0.1)
    return import_module(name)


def preview(make: Callable[[], NDArray[np.uint8]]) -> None:
    """Show how far a picture has come; it is only made when somebody looks."""
    viewers = _viewers.get()
    if viewers:
        picture = make()
        for viewer in viewers:
            viewer(picture)


def steps(work: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Iterate over `work` and tell the listeners after each item that it is done."""
    if total is None and isinstance(work, Sized):
        total = len(work)
    listeners = _listeners.get()
    for listener in listeners:
        listener(what, 0, total)
    for done, item in enumerate(work, start=1):
        yield item
        for listener in listeners:
            listener(what, done, total)
