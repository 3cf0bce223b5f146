"""What has been answered, for whoever asks several questions about the same pictures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Memory:
    """Answers by key, the least recently used forgotten first once they take more than `bytes`."""

    def __init__(self, bytes: int) -> None:
        self.bytes = bytes
        self.held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def recall(self, key: Hashable, make: Callable[[], Any], size: Callable[[], int]) -> Any:
        """The answer for `key`, made anew when it is not known; kept when its `size` in bytes allows."""
        if key in self.held:
            self.held.move_to_end(key)
            return self.held[key][0]
        answer, bytes = make(), size()
        if bytes <= self.bytes:
            self.held[key] = (answer, bytes)
            while sum(taken for _, taken in self.held.values()) > self.bytes:
                self.held.popitem(last=False)
        return answer
