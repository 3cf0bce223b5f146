"""Progress of long work: whoever does the work says how far it is, whoever watches listens.

The worker loops over `steps(...)` and knows no terminal; the terminal, page or notebook registers with
`listen(...)` and knows no method. A listener may raise to stop the work: nothing is caught on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
Listener = Callable[[str, int, int | None], None]
"""listener(what, done, total); total is None where it is not known."""

_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("pellucid_progress", default=())


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Send all progress made inside the `with` block, in this thread or task, to `listener`."""
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


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
