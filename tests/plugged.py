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
    with patch.context() as patched, as_before():
        patched.setattr(registry, "entry_points", lambda group: [point for point in points if point.group == group])
        yield


@contextmanager
def as_before() -> Iterator[None]:
    """Registries read everything anew, now and again at the end, and what was defined in between is forgotten."""
    added = [dict(each._added) for each in plugins.REGISTRIES]
    for each in plugins.REGISTRIES:
        each.forget()
    try:
        yield
    finally:
        for each, before in zip(plugins.REGISTRIES, added, strict=True):
            each._added = before
            each.forget()
