"""Notes that arise in the middle of a call, far below the result that will carry them.

Whoever has something to say about what it just did calls `say`; whoever signs the result collects it. Nobody in between
hands it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_collecting: ContextVar[tuple[dict[str, None], ...]] = ContextVar("pellucid_notes", default=())


@contextmanager
def collected() -> Iterator[dict[str, None]]:
    """All that is said inside the `with` block, in this thread or task: each note once, in the order it was said."""
    said: dict[str, None] = {}
    token = _collecting.set((*_collecting.get(), said))
    try:
        yield said
    finally:
        _collecting.reset(token)


def say(note: str) -> None:
    """Tell all who collect; lost where nobody does."""
    for said in _collecting.get():
        said[note] = None
