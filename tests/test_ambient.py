"""What surrounds a call: how freed memory is kept, and for how long."""

from __future__ import annotations

import pytest

from pellucid import ambient


def test_the_outermost_block_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(ambient, "_glibc", lambda name: lambda *given: called.append((name, given)))
    with ambient.freed_memory_kept():
        with ambient.freed_memory_kept():
            inside = len(called)
        assert len(called) == inside  # the inner block neither sets nor gives back
    assert called[0] == ("mallopt", (-3, 32 << 20))
    assert called[1] == ("mallopt", (-1, 256 << 20))
    assert called[2:] == [("mallopt", (-1, 64 << 20)), ("malloc_trim", (0,))]
