"""What surrounds a call: torch's switches, which must not change our numbers, how freed memory is kept, and threads."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch

_DEVICES = ("cpu", "cuda")
_here = threading.local()


@contextmanager
def neutral() -> Iterator[None]:
    """Inference mode and autocast off, and new tensors on the CPU unless their device is said; as before afterwards.

    All three belong to the thread, so nobody else notices. The default type is the process's: it is left alone, and
    our code says the type of whatever it makes.
    """
    with ExitStack() as undo:
        if torch.is_inference_mode_enabled():
            undo.enter_context(torch.inference_mode(False))
        for device in _DEVICES:
            if torch.is_autocast_enabled(device):
                undo.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            undo.callback(setattr, _here, "redirected", redirected())
            _here.redirected = True
            undo.enter_context(torch.device("cpu"))
        yield


def redirected() -> bool:
    """Whether the caller has set a default device, which `neutral` has set aside."""
    return getattr(_here, "redirected", False)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """For many passes in a row: glibc keeps up to 256 MB of what one pass frees for the next, until the block ends.

    By itself it gives maps back to the system after every layer and asks for them anew, and a fifth to a half of the
    time of a pass goes into empty pages. The setting is the process's; it lasts as long as the outermost such block.
    """
    with _lock:
        if not _blocks:
            _glibc("mallopt")(_MMAP_THRESHOLD, _MOST_MAPPED)
            _glibc("mallopt")(_TRIM_THRESHOLD, 8 * _MOST_MAPPED)
        _blocks.append(None)
    try:
        yield
    finally:
        with _lock:
            _blocks.pop()
            if not _blocks:
                _glibc("mallopt")(_TRIM_THRESHOLD, 2 * _MOST_MAPPED)
                _glibc("malloc_trim")(0)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """For many small products of matrices in a row: numpy and scipy multiply on one thread until the block ends.

    Threads of BLAS wait for one another after every product; beside other work that takes longer than the products do.
    The setting is the process's, and the thread's that has it first: in others such a block changes nothing.
    """
    with _blas().limit(limits=1):
        yield


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # looks at every library of the process

    return ThreadpoolController().select(user_api="blas")


@cache
def _glibc(name: str) -> Callable[..., int]:
    """A function of glibc, or one that does nothing where there is none."""
    found: Callable[..., int] = getattr(ctypes.CDLL(None), name, _nothing) if sys.platform == "linux" else _nothing
    return found


def _nothing(*_: int) -> int:
    return 0


_lock, _blocks = threading.Lock(), list[None]()
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_MOST_MAPPED = 32 << 20
"""The largest threshold for maps that glibc comes to by itself; it then trims at twice that."""
