"""Follows places through the operations of one forward pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.net.receptive import AXES, Axis, Factors, Provenance, factors_size, of_input
from pellucid.net.receptive_joins import ATTENTION, attended, concatenated, pointwise
from pellucid.net.receptive_rules import ALIKE, RULES


class Tracker:
    """Follows places through the operations of one forward pass."""

    def __init__(self, pixels: Tensor) -> None:
        self.places: Any = WeakTensorKeyDictionary()
        self.places[pixels] = of_input(pixels)
        self.unknown: dict[str, int] = {}
        self.mixed = 0
        """How many operations so far mixed all places with one another, as attention does."""

    def __call__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        sources = [self.places[t] for t in _flat(args) if isinstance(t, Tensor) and t in self.places]
        if not sources:
            return
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        outputs = [t for t in _flat(output) if isinstance(t, Tensor)]
        for i, out in enumerate(outputs):
            placed = self._place(operation, name, args, out, i, sources)
            joins = torch.Tag.pointwise in operation.tags or name in ("cat", "stack")
            of = all if joins else any  # a sum lies where its known terms lie
            lost, mixed = (of(getattr(source, flag) for source in sources) for flag in ("lost", "mixed"))
            self.places[out] = replace(placed, lost=placed.lost or lost, mixed=placed.mixed or mixed)
            self._written(args, out)

    def _written(self, args: Any, out: Tensor) -> None:
        """A part of a new tensor that the image is written into, as when a list of images is made a batch."""
        base = out._base
        if args and out is args[0] and base is not None and base not in self.places:
            where = self.places[out]
            dims: tuple[Factors, ...] = tuple((("", n),) for n in base.shape)
            self.places[base] = Provenance(dims, where.y.pooled(), where.x.pooled(), lost=True)
            self.unknown["copy"] = self.unknown.get("copy", 0) + 1

    def _place(
        self, operation: Any, name: str, args: Any, out: Tensor, i: int, sources: list[Provenance]
    ) -> Provenance:
        where = self.places.get(args[0]) if args and isinstance(args[0], Tensor) else sources[0]
        try:
            if name in RULES and where is not None:
                placed: Provenance = RULES[name](where, args, out, i)
            elif name in ("cat", "stack"):
                placed = concatenated([(t, self.places.get(t)) for t in args[0]], args, out, name)
            elif name in ("bmm", "mm", "addmm", "baddbmm"):
                placed = self._product(name, args, out)
            elif name in ATTENTION:
                self.mixed += 1
                placed = attended(sources[0], sources, out, i)
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

    def _product(self, name: str, args: Any, out: Tensor) -> Provenance:
        left, right = args[-2:] if name in ("bmm", "mm") else args[1:3]
        a, b = self.places.get(left), self.places.get(right)
        first = a or b
        if first is None:
            first = self.places[args[0]]
        dims: list[Factors] = [(("", n),) for n in out.shape]
        if a is not None:
            dims[:-1] = a.dims[:-1]
        if b is not None and (a is None or not any(a.placed(d) for d in range(len(a.dims) - 1))):
            dims[-1], first = b.dims[-1], b
        elif b is not None:  # what each place has to say about each other
            dims[-1] = tuple(("o" if tag in ("y", "x", "t") else tag, n) for tag, n in b.dims[-1])
        if b is not None or (a is not None and a.placed(-1)):
            self.mixed += 1
        for tag in AXES:
            contracted = (a is not None and a.has(-1, tag)) or (a is None and b is not None and b.has(-2, tag))
            if contracted or (a is not None and b is not None):  # attention and Gram products mix all places
                axis: Axis = getattr(first, tag)
                here = any(t in (tag, "t") for factors in dims for t, _ in factors)
                first = replace(first, **{tag: axis.everywhere() if here else axis.pooled()})
        product: Provenance = replace(first, dims=tuple(dims), mixed=a is not None and b is not None)
        return product

    def _lost(self, name: str, sources: list[Provenance], out: Tensor) -> Provenance:
        """What an unknown operation gives: it may have moved everything. The axes stay where the shape stays."""
        self.unknown[name] = self.unknown.get(name, 0) + 1
        y, x = sources[0].y.pooled(), sources[0].x.pooled()
        for other in sources[1:]:
            y, x = y.joined(other.y.pooled()), x.joined(other.x.pooled())
        dims: tuple[Factors, ...] = tuple((("", n),) for n in out.shape)
        if tuple(factors_size(f) for f in sources[0].dims) == tuple(out.shape):
            dims = sources[0].dims
            y, x = y.repeated(sources[0].y.place.shape[1]), x.repeated(sources[0].x.place.shape[1])
        return Provenance(dims, y, x, sources[0].skip, lost=True)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]
