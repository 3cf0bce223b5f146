"""How much memory a device has, and an LRU cache of forward passes, keyed by input, layers and rule."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import torch

_SHARE = 0.6
"""Of the free memory of a device, for one chunk: the rest is for copies that rules keep, and for other programs."""


def room(device: torch.device, least: int) -> int:
    """Bytes that the activations of one chunk may take: `least` on the CPU, most of what another device has free."""
    if device.type != "cuda" or not torch.cuda.is_available():
        return least
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(int(_SHARE * (torch.cuda.mem_get_info(device)[0] + cached)), least)


def free(device: torch.device) -> None:
    """Give what torch keeps of a device's memory for later back to it."""
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.empty_cache()


class RunCache:
    """Answers by key, the least recently used forgotten first once they take more than `bytes`."""

    def __init__(self, bytes: int) -> None:
        self.bytes = bytes
        self.held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self.weights: str | None = None
        """Which weights gave these answers (`Net.weights`), once somebody has asked."""

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
