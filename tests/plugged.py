"""What another package would add: entry points, for the time of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint

import pytest

from pellucid import plugins, registry


@contextmanager
def offered(patch: pytest.MonkeyPatch, *points: EntryPoint) -> Iterator[None]:
    """The only entry points that are there are these."""
    with patch.context() as patched:
        patched.setattr(registry, "entry_points", lambda group: [point for point in points if point.group == group])
        forget()
        try:
            yield
        finally:
            forget()


def forget() -> None:
    """Whatever the registries have read."""
    for each in plugins.REGISTRIES:
        each.forget()
