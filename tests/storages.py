"""Which memory of tensors a call leaves behind, seen below autograd, where Python's garbage collector sees nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode


class Storages(TorchDispatchMode):
    """Notes the storages that operations make, by weak references that keep nothing alive."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[StorageWeakRef, int]] = {}
        self.given: set[int] = set()
        """Storages of arguments that were there before: weights, pictures, constants. What shares them is not new."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.given.update(key for storage in _storages((args, kwargs)) if (key := storage._cdata) not in self.made)
        output = func(*args, **kwargs)
        for storage in _storages(output):
            if (key := storage._cdata) not in self.given:
                self.made[key] = (StorageWeakRef(storage), storage.nbytes())
        return output

    @property
    def alive(self) -> int:
        """Bytes of what was made and is still there."""
        return sum(size for ref, size in self.made.values() if not ref.expired())


def _storages(value: Any) -> Iterator[torch.UntypedStorage]:
    """Of all tensors in what an operation takes or gives; by hand, for this runs at every one of them."""
    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided:
            yield value.untyped_storage()
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _storages(part)
    elif isinstance(value, dict):
        yield from _storages(tuple(value.values()))


def left_behind(call: Callable[[], Any], known: Iterable[torch.Tensor] = ()) -> int:
    """Bytes of tensors made during `call` that are still alive when it is over and its answer dropped.

    `known` were there before, though nothing may touch them before they are copied. The collector is off: what only it
    could free counts as left behind.
    """
    gc.disable()
    try:
        with Storages() as storages:
            storages.given.update(storage._cdata for storage in _storages(tuple(known)))
            call()
        return storages.alive
    finally:
        gc.enable()
