"""Progress of long work: whoever does the work says how far it is, whoever watches listens.

The worker loops over `steps(...)` and knows no terminal; the terminal, page or notebook registers with
`listen(...)` and knows no method. A listener may raise to stop the work: nothing is caught on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # the command line listens before numpy is there
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
Listener = Callable[[str, int, int | None], None]
"""listener(what, done, total); total is None where it is not known."""

Viewer = Callable[["NDArray[np.uint8]"], None]
"""viewer(picture), (H, W, C) in 8 bits."""

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


@contextmanager
def view(viewer: Viewer) -> Iterator[None]:
    """Show all unfinished pictures made inside the `with` block, in this thread or task, to `viewer`."""
    token = _viewers.set((*_viewers.get(), viewer))
    try:
        yield
    finally:
        _viewers.reset(token)


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
