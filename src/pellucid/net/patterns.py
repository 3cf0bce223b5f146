"""Activation patterns: on which side of its kinks every piecewise linear operation of a pass is, for each image.

Where the pattern is the same, the network is one affine function of the pixels; the pixels of one pattern are a convex
set, for under it every operation's input is affine. Operations are met as torch runs them, whatever module calls them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.errors import Refused
from pellucid.net import Net, apart

Sides = Callable[[Tensor, tuple[Any, ...], dict[str, Any]], list[Tensor]]


def _kinks(*default: float | str) -> Sides:
    """Above each of these numbers; one written as text is the name of an argument and its place."""

    def sides(x: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
        found: list[float | None] = []
        for one in default:
            if isinstance(one, str):
                place, name, *otherwise = one.split()
                value = args[int(place)] if len(args) > int(place) else kwargs.get(name)
                found.append(float(otherwise[0]) if value is None and otherwise else value)
            else:
                found.append(one)
        return [x > one for one in found if one is not None]

    return sides


_SIDES: dict[str, Sides] = {
    "relu": _kinks(0.0),
    "threshold": _kinks("1 threshold"),
    "leaky_relu": _kinks(0.0),
    "prelu": _kinks(0.0),
    "_prelu_kernel": _kinks(0.0),
    "rrelu_with_noise": _kinks(0.0),
    "abs": _kinks(0.0),
    "sign": _kinks(0.0),
    "hardtanh": _kinks("1 min_val -1", "2 max_val 1"),
    "clamp": _kinks("1 min", "2 max"),
    "clamp_min": _kinks("1 min"),
    "clamp_max": _kinks("1 max"),
    "hardsigmoid": _kinks(-3.0, 3.0),
    "hardshrink": _kinks("1 lambd 0.5"),
    "maximum": lambda x, args, _: [x > args[1]],
    "minimum": lambda x, args, _: [x > args[1]],
    "amax": lambda x, args, _: [x == x.amax(args[1] if len(args) > 1 else (), keepdim=True)],
    "amin": lambda x, args, _: [x == x.amin(args[1] if len(args) > 1 else (), keepdim=True)],
    **dict.fromkeys(("gt", "lt", "ge", "le"), lambda x, args, _: [x > args[1]]),
}
"""ATen operation, without the underscore of those that write in place -> on which sides its input is."""
_CHOOSE = {"max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool2d", "max", "min", "topk", "sort"}
"""Those that return which of their inputs they have taken, second."""


class _Recording(TorchDispatchMode):
    def __init__(self, images: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rows = [hashlib.blake2b(digest_size=16) for _ in range(images)]
        self.kinks = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.removeprefix("aten::").rstrip("_")
        x = args[0] if args else None
        if name in _SIDES and isinstance(x, Tensor) and x.is_floating_point() and x.dim():
            for side in _SIDES[name](x, args, kwargs):  # before it may write in place
                self._note(side, name)
        output = func(*args, **kwargs)
        if name in _CHOOSE and isinstance(output, (tuple, list)):
            self._note(output[1], name)
        return output

    def _note(self, found: Tensor, name: str) -> None:
        many = len(self.rows)
        if not found.dim() or len(found) % many:
            if found.dim() and many > 1:
                raise Refused(
                    f"{name} of this network meets {tuple(found.shape)}, which has no first axis of its images"
                )
            found = found[None]
        rows = found.reshape(many, -1).cpu().numpy()
        packed = np.packbits(rows, axis=1) if rows.dtype == np.bool_ else np.ascontiguousarray(rows)
        for row, values in zip(self.rows, packed, strict=True):
            row.update(values.tobytes())
        self.kinks += rows.shape[1]


def patterns(net: Net, pixels: Tensor) -> tuple[list[bytes], int]:
    """Of each image its pattern, as 16 bytes that differ where patterns do, and how many kinks it tells of.

    Images of a network that mixes them are to be given one by one (`net.chunk`).
    """
    inputs, recording = apart.inputs_of(net, pixels), _Recording(len(pixels))
    with recording:
        apart.forward(net, inputs, edit=None)
    return [row.digest() for row in recording.rows], recording.kinks
