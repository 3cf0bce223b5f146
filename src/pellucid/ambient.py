"""Torch's switches around a call: what the caller has set for code of their own must not change our numbers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
