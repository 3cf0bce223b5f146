"""Follows places through the operations of one forward pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.net.reach import AXES, Axis, Where, factors_size, of_input
from pellucid.net.reach_rules import ALIKE, RULES, concatenated, pointwise


class Tracker:
    """Follows places through the operations of one forward pass."""

    def __init__(self, pixels: Tensor) -> None:
        self.places: Any = WeakTensorKeyDictionary()
        self.places[pixels] = of_input(pixels)
        self.unknown: dict[str, int] = {}

    def __call__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        sources = [self.places[t] for t in _flat(args) if isinstance(t, Tensor) and t in self.places]
        if not sources:
            return
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        outputs = [t for t in _flat(output) if isinstance(t, Tensor)]
        for i, out in enumerate(outputs):
            self.places[out] = self._place(operation, name, args, out, i, sources)

    def _place(self, operation: Any, name: str, args: Any, out: Tensor, i: int, sources: list[Where]) -> Where:
        where = self.places.get(args[0]) if args and isinstance(args[0], Tensor) else sources[0]
        try:
            if name in RULES and where is not None:
                placed: Where = RULES[name](where, args, out, i)
            elif name in ("cat", "stack"):
                placed = concatenated([self.places[t] for t in args[0] if t in self.places], args, out, name)
            elif name in ("bmm", "mm", "addmm", "baddbmm"):
                placed = self._product(name, args, out)
            elif torch.Tag.pointwise in operation.tags or name in ALIKE:
                placed = pointwise(sources, out)
            else:
                placed = self._lost(name, sources, out)
            if tuple(factors_size(f) for f in placed.dims) != tuple(out.shape):
                placed = self._lost(name, sources, out)
        except (
            ValueError,
            IndexError,
            TypeError,
            KeyError,
        ):  # an overload we do not know: say so, guess nothing
            placed = self._lost(name, sources, out)
        return placed

    def _product(self, name: str, args: Any, out: Tensor) -> Where:
        left, right = args[-2:] if name in ("bmm", "mm") else args[1:3]
        a, b = self.places.get(left), self.places.get(right)
        first = a or b
        if first is None:
            first = self.places[args[0]]
        dims = [(("", n),) for n in out.shape]
        if a is not None:
            dims[:-1] = a.dims[:-1]
        for tag in AXES:
            contracted = a is not None and a.has(-1, tag)
            if contracted or b is not None:  # attention and Gram products mix all places
                axis: Axis = getattr(first, tag)
                here = any(t == tag for factors in dims for t, _ in factors)
                first = replace(first, **{tag: axis.everywhere() if here else axis.pooled()})
        mixed: Where = replace(first, dims=tuple(dims))
        return mixed

    def _lost(self, name: str, sources: list[Where], out: Tensor) -> Where:
        self.unknown[name] = self.unknown.get(name, 0) + 1
        y, x = sources[0].y, sources[0].x
        for other in sources[1:]:
            y, x = y.pooled().joined(other.y.pooled()), x.pooled().joined(other.x.pooled())
        return Where(tuple((("", n),) for n in out.shape), y.pooled(), x.pooled())


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]
