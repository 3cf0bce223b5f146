"""Activations with a ceiling (ReLU6, hardtanh, clamp, hardsigmoid): which call makes them, and what it does to a value.

Many places of many images are at the ceiling, and none of them is then stronger than another. What the activation
receives still tells them apart, and it never decreases: the largest value behind the ceiling is the ceiling's of the
largest value before it, at the same place.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pellucid.errors import BadNetwork

Watcher = Callable[[Tensor], None]
"""Is shown a layer's output; it must neither keep nor change it."""
INFINITY = 1e39
"""Stands for no bound, in plans of plain JSON: no float32 is larger."""


@dataclass(frozen=True)
class Clip:
    """A call that cuts an activation off, as a value."""

    call: int
    """Which of all such calls of a forward pass it is, counted from 0."""
    low: float
    high: float
    hard_sigmoid: bool = False
    """x / 6 + 1/2 before it is cut off at 0 and 1."""

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the activation makes of what it received."""
        if self.hard_sigmoid:
            found: NDArray[np.float32] = F.hardsigmoid(torch.from_numpy(np.ascontiguousarray(values))).numpy()
            return found
        low, high = (math.copysign(math.inf, end) if abs(end) >= INFINITY else end for end in (self.low, self.high))
        return np.clip(values, np.float32(low), np.float32(high))


Bounds = tuple[float, float, bool]


def clipping(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Tensor, Bounds] | None:
    """(what a call receives, its bounds) where it cuts off at the top; None for every other call."""
    meaning = _CALLS.get(func)
    if meaning is None:
        return None
    received = args[0] if args else kwargs.get("input")
    bounds = meaning(args, kwargs)
    if not isinstance(received, Tensor) or not received.is_floating_point() or bounds is None:
        return None
    low, high, kind = bounds
    return (received, (low, high, kind)) if high < INFINITY and low < high else None


def _number(value: Any, otherwise: float) -> float | None:
    """A bound as a number; None where it differs from place to place."""
    if value is None:
        return otherwise
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 and value.device.type != "meta" else None
    number = float(value)
    return math.copysign(INFINITY, number) if math.isinf(number) else number


def _argument(args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, name: str, otherwise: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, otherwise)


def _pair(low: Any, high: Any) -> Bounds | None:
    ends = _number(low, -INFINITY), _number(high, INFINITY)
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1], False)


def _six(_args: Any, _kwargs: Any) -> Bounds | None:
    return 0.0, 6.0, False


def _hardtanh(args: Any, kwargs: Any) -> Bounds | None:
    return _pair(_argument(args, kwargs, 1, "min_val", -1.0), _argument(args, kwargs, 2, "max_val", 1.0))


def _clamp(args: Any, kwargs: Any) -> Bounds | None:
    return _pair(_argument(args, kwargs, 1, "min"), _argument(args, kwargs, 2, "max"))


def _below(args: Any, kwargs: Any) -> Bounds | None:
    return _pair(None, _argument(args, kwargs, 1, "max"))


def _least(args: Any, kwargs: Any) -> Bounds | None:
    other = _argument(args, kwargs, 1, "other")
    return _pair(None, other) if isinstance(other, Tensor) else None


def _hard_sigmoid(_args: Any, _kwargs: Any) -> Bounds | None:
    return 0.0, 1.0, True


_CALLS: dict[Any, Callable[[Any, Any], Bounds | None]] = {
    F.relu6: _six,
    F.hardtanh: _hardtanh,
    F.hardtanh_: _hardtanh,
    F.hardsigmoid: _hard_sigmoid,
    torch.minimum: _least,
    Tensor.minimum: _least,
    torch.clamp_max: _below,
    torch.clamp_max_: _below,
    Tensor.clamp_max: _below,
    Tensor.clamp_max_: _below,
    **dict.fromkeys(
        (torch.clamp, torch.clamp_, torch.clip, torch.clip_, Tensor.clamp, Tensor.clamp_, Tensor.clip, Tensor.clip_),
        _clamp,
    ),
}


_MODULES = {nn.ReLU6, nn.Hardtanh, nn.Hardsigmoid}


def _received(watcher: Watcher) -> Callable[[nn.Module, Any, Any], None]:
    owner = threading.get_ident()

    def hook(_module: nn.Module, args: Any, kwargs: Any) -> None:
        if threading.get_ident() == owner:  # and not somebody else's call of the same module
            with torch._C.DisableTorchFunction():
                watcher(args[0] if args else kwargs["input"])

    return hook


Place = tuple[int, int, tuple[int, ...], tuple[int, ...]]


def where(tensor: Tensor) -> Place:
    """The same for tensors that are the same numbers in the same place and order: whoever writes into them changes it.

    (N, C, 1, 1) and (N, C) are the same; a transposed view is another.
    """
    shape, strides = tuple(tensor.shape), () if tensor.is_contiguous() else tensor.stride()
    while len(shape) > 2 and shape[-1] == 1 and not strides:
        shape = shape[:-1]
    return tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version, shape, strides


class Clips(TorchFunctionMode):
    """Meets every call that cuts activations off, before it does, in whatever way it is spelled.

    Where a layer is such an activation, as a module of torch's, its own call is met instead, which costs less.
    """

    def __init__(self, before: Mapping[str, tuple[int, Watcher]], module: nn.Module | None = None) -> None:
        super().__init__()
        parts = {} if module is None or not before else dict(module.named_modules())
        self.modules: list[tuple[nn.Module, Watcher]] = []
        self.watchers: dict[int, list[tuple[str, Watcher]]] = {}
        for name, (call, watcher) in before.items():
            if type(parts.get(name)) in _MODULES:
                self.modules.append((parts[name], watcher))
            else:
                self.watchers.setdefault(call, []).append((name, watcher))
        self.shown = before
        self.returned: dict[str, Place] = {}
        self.begin()

    @contextmanager
    def met(self) -> Iterator[None]:
        """Show what is received, in all passes inside."""
        with ExitStack() as undo:
            for part, watcher in self.modules:
                undo.callback(part.register_forward_pre_hook(_received(watcher), with_kwargs=True).remove)
            if self.watchers or not self.modules:
                undo.enter_context(self)
            yield

    def begin(self) -> None:
        """A forward pass begins."""
        self.count = 0
        self.last: tuple[Place, Clip] | None = None
        self.returned.clear()

    def recording(self, name: str, found: dict[str, Clip]) -> Watcher:
        """A watcher of a layer that notes the clip, where its output is what the last of the clips returned."""

        def seen(output: Tensor) -> None:
            if self.last is not None and self.last[0] == where(output):
                found[name] = self.last[1]

        return seen

    def checking(self, name: str, watcher: Watcher) -> Watcher:
        """The watcher of a layer that refuses one which ends otherwise than it did."""
        if not self.watchers:
            return watcher
        watched = any(name == other for some in self.watchers.values() for other, _ in some)

        def seen(output: Tensor) -> None:
            with torch._C.DisableTorchFunction():  # else all that the watcher does would be looked at
                if watched and self.returned.get(name) != where(output):
                    raise BadNetwork(f"layer {name!r} does not always end in the same activation: name other layers")
                watcher(output)

        return seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        met = clipping(func, args, kwargs or {})
        if met is None:
            return func(*args, **(kwargs or {}))
        call, self.count = self.count, self.count + 1
        watchers = self.watchers.get(call, ())
        for _, watcher in watchers:
            watcher(met[0])
        output = func(*args, **(kwargs or {}))
        self.returned |= {name: where(output) for name, _ in watchers}
        if not self.watchers:
            self.last = (where(output), Clip(call, *met[1]))
        return output
