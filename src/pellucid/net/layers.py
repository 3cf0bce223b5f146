"""The layer table: what each layer is, and where each of its cells lies in the image.

Made by one traced pass, so it is right for any graph: branches, asymmetric padding, functional operations.
Theory of the arithmetic: Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural networks".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid import faces
from pellucid.errors import UnknownName, unknown
from pellucid.geometry import Placement
from pellucid.net import tap
from pellucid.net.axes import Axes, axes_of
from pellucid.net.receptive import Axis, Provenance
from pellucid.net.tracker import Tracker


@dataclass(frozen=True)
class Layer:
    """One call of one named module in a forward pass.

    `shape` is that of the output for one image, without the batch; (channels, rows, columns) for a map, wherever the
    network keeps its channels (`axes`). Where the output has no entry for each image, as that of a detector's
    proposals or of a module that makes a kernel, it is the whole shape.
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
    axes: Axes | None = None
    """Which dimensions of the output are channels and places; None where this is not known."""
    idle: bool = False
    """Whether it comes behind the last attention: a class token does not read other tokens any more."""

    @property
    def mapped(self) -> bool:
        """Whether the output is a map: channels at places of the image."""
        return self.axes is not None and self.axes.row is not None

    @property
    def spatial(self) -> bool:
        """Whether the output is a map with more than one cell."""
        return self.mapped and self.shape[1] * self.shape[2] > 1

    @property
    def skip(self) -> int:
        """How many tokens it has that are no places."""
        return self.axes.skip if self.axes is not None else 0

    @property
    def told(self) -> tuple[str, ...]:
        """It in a row of a table, as text: a cell for each of `faces.LAYERS`, empty where there is nothing to say."""
        place, shape = self.placement, "×".join(map(str, self.shape)) or "1"
        parameters = f"{self.parameters:,}".replace(",", " ") if self.parameters else ""
        placed = (place.field, place.jump, place.start) if place else ((),) * 3
        return (self.name, self.kind, shape, *map(_pair, (self.kernel, self.stride, *placed)), parameters)

    @property
    def units(self) -> int | None:
        """How many channels the output has; None where it is not known which of its numbers are one unit's."""
        return self.shape[0] if len(self.shape) == 1 or (self.axes is not None and self.shape) else None


def _pair(values: tuple[int | float, ...]) -> str:
    """One number where all are equal: 3, 3×1."""
    shown = [f"{value:g}" for value in values]
    return "×".join(shown if len(set(shown)) > 1 else shown[:1])


class _Seen(NamedTuple):
    """A call of a layer: all that is kept of it while the pass goes on."""

    name: str
    call: int
    part: nn.Module
    shape: tuple[int, ...]
    where: Provenance | None
    mixed: int


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

    def __repr__(self) -> str:
        rows, columns = (faces.LAYERS, *(row.told for row in self.rows)), range(len(faces.LAYERS))
        wide = [max(len(row[i]) for row in rows) for i in columns]
        return "\n".join("  ".join(row[i].ljust(wide[i]) for i in columns).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        return faces.table((row.told for row in self.rows), faces.LAYERS)

    def __getitem__(self, name: str) -> Layer:
        """The layer of that name; `relu#2` is the second call of a module that is used again."""
        for row in self.rows:
            if name == row.name or (row.calls == 1 and name == f"{row.name}#1"):
                return row
        raise unknown("layer", name, self.names)

    def __contains__(self, name: str) -> bool:
        return any(name == row.name or (row.calls == 1 and name == f"{row.name}#1") for row in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    def widest_from(self, name: str) -> int:
        """How many numbers the largest output of that layer, and of those that end after it, has for one image."""
        rows = self.rows[self.names.index(self[name].name) :]
        return max(math.prod(row.shape) for row in rows)

    def last_map(self, before: Sequence[str] = ()) -> Layer | None:
        """The last layer whose output still has places, or None: the usual choice for class maps.

        With `before`, the last that comes ahead of those layers and is no part of them.
        """
        ends = [self.names.index(self[name].name) for name in before]
        inside = tuple(f"{self[name].path}." for name in before)
        ahead = self.rows[: min(ends, default=len(self.rows))]
        maps = [row for row in ahead if row.spatial and not row.name.startswith(inside)]
        maps = [row for row in maps if not (row.idle and row.skip)]
        return maps[-1] if maps else None

    def no_maps(self, row: Layer) -> str:
        """Why a layer has no maps, in the words of a refusal, and which has some."""
        shape, last = "×".join(map(str, row.shape)) or "1", self.last_map()
        hint = f"the last with maps is {last.name!r}" if last else "no layer of this network has maps"
        return f"layer {row.name!r} gives {shape} numbers, no maps of places; {hint}"


def table(module: nn.Module, inputs: Tensor) -> Layers:
    """Trace one pass over `inputs` (1, C, H, W) and describe every layer that took part."""
    tracker = Tracker(inputs)
    # Shapes and places alone: a list of the outputs would hold every activation of the network at once.
    seen: list[_Seen] = []
    inside: list[str] = []
    mixing: set[str] = set()
    attention: list[str] = []
    floats = widest = 0

    def watch(operation: Any, args: Any, kwargs: Any, output: Any) -> None:
        nonlocal floats, widest
        before = tracker.mixed
        tracker(operation, args, kwargs, output)
        if tracker.mixed > before and inside:
            mixing.add(inside[-1])
        if isinstance(output, Tensor) and not _is_view(output, args):
            floats += output.numel()
            widest = max(widest, output.numel())

    def note(name: str, call: int, part: nn.Module, output: Any) -> None:
        while inside and inside.pop() != name:  # a layer that raised, and whose caller went on, has not ended
            pass
        tensor = output if isinstance(output, Tensor) else None
        if tensor is None and isinstance(output, (tuple, list)):
            tensors = [part for part in output if isinstance(part, Tensor)]
            tensor = tensors[0] if len(tensors) == 1 else None
        if tensor is not None:
            where = tracker.places.get(tensor)
            seen.append(_Seen(name, call, part, tuple(tensor.shape), where, tracker.mixed))
            if name in mixing and where is not None and where.mixed:
                attention.append(f"{name}.")

    tap.trace(module, inputs, watch, note, lambda name, _: inside.append(name))
    size = (int(inputs.shape[-2]), int(inputs.shape[-1]))
    calls, inner = Counter(one.name for one in seen), tuple(attention)
    rows = tuple(_row(one, calls[one.name], tracker.mixed, size, inner) for one in seen)
    return Layers(rows, size, tuple(sorted(tracker.unknown)), floats, widest)


def _row(one: _Seen, calls: int, mixed: int, size: tuple[int, int], attention: tuple[str, ...]) -> Layer:
    axes, shape = axes_of(one.where), one.shape
    if axes is not None and axes.grid is not None and f"{one.name}.".startswith(attention):
        axes = Axes(axes.channel)  # queries, keys, and what was gathered from all places: nothing that has a place
    if axes is not None:
        shape = axes.shape(shape)
    elif one.where is not None and shape and shape[0] == 1:
        shape = shape[1:]
    return Layer(
        name=one.name if calls == 1 else f"{one.name}#{one.call}",
        kind=type(one.part).__name__,
        shape=shape,
        parameters=sum(p.numel() for p in one.part.parameters()),
        placement=_placement(one.where, axes, size),
        kernel=_numbers(one.part, "kernel_size"),
        stride=_numbers(one.part, "stride"),
        calls=calls,
        path=one.name,
        axes=axes,
        idle=0 < mixed == one.mixed,
    )


def _is_view(output: Tensor, args: Any) -> bool:
    """Whether it has no memory of its own: a reshaped activation, a transposed weight, what was written in place."""
    dense = [one for one in (output, *args) if isinstance(one, Tensor) and one.layout == torch.strided]
    places = [one.untyped_storage()._cdata for one in dense]
    return bool(dense) and dense[0] is output and places[0] in places[1:]


def _numbers(part: nn.Module, attribute: str) -> tuple[int, ...]:
    value = getattr(part, attribute, ())
    return (value,) if isinstance(value, int) else tuple(value) if isinstance(value, tuple) else ()


def _placement(where: Provenance | None, axes: Axes | None, size: tuple[int, int]) -> Placement | None:
    """The affine rule that places a map's cells, where they could be followed."""
    if where is None or where.lost or axes is None or axes.row is None:
        return None
    y, x = where.y.centers, where.x.centers
    field, local = (_extent(where.y, size[0]), _extent(where.x, size[1])), (_local(where.y), _local(where.x))
    if _even(y) and _even(x):
        start = (float(y[0]), float(x[0]))
        jump = tuple(
            float(c[-1] - c[0]) / (len(c) - 1) if len(c) > 1 else a.jump for c, a in ((y, where.y), (x, where.x))
        )
        return Placement(start, (jump[0], jump[1]), field, local=local)
    return Placement.at(y, x, field, local)


def _extent(axis: Axis, length: int) -> float:
    """The smallest field, centered on each cell, that holds all pixels which can change the cell."""
    low, high = axis.full
    if np.any(axis.full != axis.place):  # what comes through a gate comes from the image, not from beyond its border
        low = np.where(low < axis.place[0], np.minimum(np.maximum(low, 0), axis.place[0]), low)
        high = np.where(high > axis.place[1], np.maximum(np.minimum(high, length - 1), axis.place[1]), high)
    return float(2 * np.maximum(axis.centers - low, high - axis.centers).max()) + 1


def _local(axis: Axis) -> float:
    """The largest field of any cell without what passes a gate, in pixels."""
    return float((axis.place[1] - axis.place[0]).max()) + 1


def _even(centers: NDArray[np.float64]) -> bool:
    return len(centers) < 3 or bool(np.ptp(np.diff(centers)) < 1e-6)


def blank(module: nn.Module, channels: int, size: tuple[int, int]) -> Tensor:
    """An input to trace with: zeros on the network's device and in its type."""
    like = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(()))
    return torch.zeros(1, channels, *size, dtype=like.dtype, device=like.device)


def spelled(module: nn.Module, value: Any, network: str) -> Any:
    """Parts of a module as the names of layers, alone or in a list; anything else as it is."""
    if isinstance(value, (list, tuple)) and any(isinstance(one, nn.Module) for one in value):
        return tuple(spelled(module, one, network) for one in value)
    if not isinstance(value, nn.Module):
        return value
    for name, part in module.named_modules():
        if part is value and name:
            return name
    raise UnknownName(f"that {type(value).__name__} is no layer of {network}: take one out of net.module")
