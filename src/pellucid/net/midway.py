"""Where a pass may be stopped before it is over: ahead of every layer, on the way forward and on every way back.

Hooks hang on a network only while it runs, and only where somebody listens who may stop the work: `progress.stoppable`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.net.weights import original_of
from pellucid.progress import Check, stop_check

_WHOLE = (torch.jit.ScriptModule, nn.TransformerEncoderLayer, nn.MultiheadAttention)
"""What runs in one go, or would compute in another way if anything hung on it."""
_COMPILED = "OptimizedModule"
"""The name of what `torch.compile` makes, which would be compiled anew; torch does not say it without its compiler."""


@contextmanager
def midway(module: nn.Module) -> Iterator[None]:
    """Whoever would stop the work is asked ahead of the pass inside, of every layer of it, and of those of the backward
    passes through what it computes. No number depends on it.
    """
    check = stop_check()
    if check is None:
        yield
        return
    check()
    owner = threading.get_ident()

    def hook(_part: nn.Module, given: tuple[Any, ...]) -> None:
        if threading.get_ident() == owner:  # else it is somebody else's call of the same module
            check()
            _on_the_way_back(given, check)

    with ExitStack() as undo:
        for part in _innermost(original_of(module)):
            undo.callback(part.register_forward_pre_hook(hook).remove)
        yield


def _on_the_way_back(tensors: Sequence[Any], check: Check) -> None:
    """The check is asked when gradients reach what has computed these tensors; then they are such tensors themselves,
    where the gradient of a gradient is wanted. It is kept by their graph, and keeps nothing of it.
    """
    for one in tensors:
        if isinstance(one, Tensor) and one.grad_fn is not None:
            one.grad_fn.register_prehook(lambda gradients: _reached(gradients, check))


def _reached(gradients: Sequence[Any], check: Check) -> None:
    check()
    _on_the_way_back(gradients, check)


def _innermost(module: nn.Module) -> Iterator[nn.Module]:
    """The parts that have no parts, each once."""
    seen, left = set[int](), [module]
    while left:
        part = left.pop()
        if id(part) in seen or isinstance(part, _WHOLE) or type(part).__name__ == _COMPILED:
            continue
        seen.add(id(part))
        inside = [one for one in part._modules.values() if one is not None]
        if not inside:
            yield part
        left += inside
