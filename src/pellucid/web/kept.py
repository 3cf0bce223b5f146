"""Answers that may be fetched, by their keys: the last of them in memory, the others where a worker keeps them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import platformdirs

_RESULTS = 256 * 2**20
"""Bytes of answers that are held in memory."""


class Kept:
    """Answers by key, the least recently fetched forgotten first."""

    def __init__(self, most: int = _RESULTS) -> None:
        self.most, self.taken = most, 0
        self.held: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, key: str, content: bytes) -> None:
        """An answer, which may be fetched from now on."""
        self.taken += len(content) - len(self.held.pop(key, b""))
        self.held[key] = content
        while self.taken > self.most and len(self.held) > 1:
            self.taken -= len(self.held.popitem(last=False)[1])

    def get(self, key: str) -> bytes | None:
        """None for what is not known, or not any more."""
        if key in self.held:
            self.held.move_to_end(key)
        return self.held.get(key)


def cache_folder() -> Path:
    """Where this user's answers are kept, and the pictures that were sent."""
    return Path(platformdirs.user_cache_dir("pellucid")) / "explorer"
