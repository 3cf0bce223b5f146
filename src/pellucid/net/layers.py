"""The layer table: what each layer is, and where each of its cells lies in the picture.

Made by one traced pass, so it is right for any graph: branches, asymmetric padding, functional operations.
Theory of the arithmetic: Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.errors import unknown
from pellucid.geometry import Placement
from pellucid.net import tap
from pellucid.net.reach import Axis, Where
from pellucid.net.tracker import Tracker


@dataclass(frozen=True)
class Layer:
    """One call of one named module in a forward pass.

    `shape` is that of the output for one image, without the batch; (channels, rows, columns) for a map. Where the
    output has no entry for each image, as that of a detector's proposals, it is the whole shape.
    `placement` is None where the output is no map, or where an operation on the way could not be followed.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    placement: Placement | None
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    calls: int = 1
    path: str = ""

    @property
    def spatial(self) -> bool:
        """Whether the output is a map with more than one cell."""
        return len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


@dataclass(frozen=True)
class Layers:
    """All layers in order of execution, innermost first, for one size of input."""

    rows: tuple[Layer, ...]
    size: tuple[int, int]
    unplaced: tuple[str, ...]
    """Operations that the tracing of receptive fields does not know."""
    floats: int
    """How many numbers one image's activations take in all: what a backward pass must keep."""
    widest: int
    """How many numbers the largest activation of one image has."""

    def __getitem__(self, name: str) -> Layer:
        """The layer of that name; `relu#2` is the second call of a module that is used again."""
        for row in self.rows:
            if name == row.name or (row.calls == 1 and name == f"{row.name}#1"):
                return row
        raise unknown("layer", name, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    def last_map(self, before: Sequence[str] = ()) -> Layer | None:
        """The last layer whose output still has places, or None: the usual choice for class maps.

        With `before`, the last that comes ahead of those layers and is no part of them.
        """
        ends = [self.names.index(self[name].name) for name in before]
        inside = tuple(f"{self[name].path}." for name in before)
        ahead = self.rows[: min(ends, default=len(self.rows))]
        return next((row for row in reversed(ahead) if row.spatial and not row.name.startswith(inside)), None)


def table(module: nn.Module, inputs: Tensor) -> Layers:
    """Trace one pass over `inputs` (1, C, H, W) and describe every layer that took part."""
    tracker = Tracker(inputs)
    # Shapes and places alone: a list of the outputs would hold every activation of the network at once.
    seen: list[tuple[str, int, nn.Module, tuple[int, ...], Placement | None]] = []
    floats = widest = 0

    def watch(operation: Any, args: Any, kwargs: Any, output: Any) -> None:
        nonlocal floats, widest
        tracker(operation, args, kwargs, output)
        if isinstance(output, Tensor) and not _is_view(output, args):
            floats += output.numel()
            widest = max(widest, output.numel())

    def note(name: str, call: int, part: nn.Module, output: Any) -> None:
        tensor = output if isinstance(output, Tensor) else None
        if tensor is None and isinstance(output, (tuple, list)):
            tensors = [part for part in output if isinstance(part, Tensor)]
            tensor = tensors[0] if len(tensors) == 1 else None
        if tensor is not None:
            seen.append((name, call, part, tuple(tensor.shape), _placement(tracker.places.get(tensor), tensor.dim())))

    tap.trace(module, inputs, watch, note)
    calls = {name: max(call for other, call, *_ in seen if other == name) for name, *_ in seen}
    rows = tuple(
        Layer(
            name=name if calls[name] == 1 else f"{name}#{call}",
            kind=type(part).__name__,
            shape=shape[1:] if shape and shape[0] == len(inputs) else shape,
            parameters=sum(p.numel() for p in part.parameters()),
            placement=placement,
            kernel=_numbers(part, "kernel_size"),
            stride=_numbers(part, "stride"),
            calls=calls[name],
            path=name,
        )
        for name, call, part, shape, placement in seen
    )
    size = (int(inputs.shape[-2]), int(inputs.shape[-1]))
    return Layers(rows, size, tuple(sorted(tracker.unknown)), floats, widest)


def _is_view(output: Tensor, args: Any) -> bool:
    """Whether it has no memory of its own: a reshaped activation, a transposed weight, what was written in place."""
    dense = [one for one in (output, *args) if isinstance(one, Tensor) and one.layout == torch.strided]
    places = [one.untyped_storage()._cdata for one in dense]
    return bool(dense) and dense[0] is output and places[0] in places[1:]


def _numbers(part: nn.Module, attribute: str) -> tuple[int, ...]:
    value = getattr(part, attribute, ())
    return (value,) if isinstance(value, int) else tuple(value) if isinstance(value, tuple) else ()


def _placement(where: Where | None, dimensions: int) -> Placement | None:
    """The affine rule that places a map's cells, where its last two dimensions are the picture's axes."""
    if where is None or dimensions != 4 or (where.dim("y"), where.dim("x")) != (2, 3):
        return None
    (y, y_field), (x, x_field) = ((a.centres, _extent(a)) for a in (where.y, where.x))
    if _even(y) and _even(x):
        start = (float(y[0]), float(x[0]))
        jump = tuple(
            float(c[-1] - c[0]) / (len(c) - 1) if len(c) > 1 else a.jump for c, a in ((y, where.y), (x, where.x))
        )
        return Placement(start, (jump[0], jump[1]), (y_field, x_field))
    return Placement.at(y, x, (y_field, x_field))


def _extent(axis: Axis) -> float:
    """The largest field of any cell, in pixels."""
    return float((axis.full[1] - axis.full[0]).max()) + 1


def _even(centres: NDArray[np.float64]) -> bool:
    return len(centres) < 3 or bool(np.ptp(np.diff(centres)) < 1e-6)


def blank(module: nn.Module, channels: int, size: tuple[int, int]) -> Tensor:
    """An input to trace with: zeros on the network's device and in its type."""
    like = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(()))
    return torch.zeros(1, channels, *size, dtype=like.dtype, device=like.device)
