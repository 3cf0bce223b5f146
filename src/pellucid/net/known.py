"""What was found out about a module, for as long as the module stays what it was."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from pellucid.errors import BadNetwork
from pellucid.net.axes import Axes
from pellucid.net.layers import Layers
from pellucid.net.tap import split_call

_SETTINGS = ("stride", "padding", "dilation", "kernel_size")
"""Attributes of a module that shape its output and that people change in place."""


class Structure:
    """The modules of a network and the shapes of their parameters: what a layer table depends on, but not the weights.

    It keeps no module alive, and an address that was used again does not deceive it: while all the modules of then
    are alive, weak references say, no other can have the address of one.
    """

    def __init__(self, module: nn.Module | None = None) -> None:
        parts, said = ([], None) if module is None else _parts(module)
        self.said: list[Any] | None = said
        self.alive = [weakref.ref(part) for part in parts]

    def holds(self, module: nn.Module) -> bool:
        """Whether the module is still the same, part for part."""
        return _parts(module)[1] == self.said and all(part() is not None for part in self.alive)

    def __reduce__(self) -> tuple[type[Structure], tuple[()]]:
        """A copy, or what another process gets, knows nothing: weak references do not travel."""
        return type(self), ()


def _parts(module: nn.Module) -> tuple[list[nn.Module], list[Any]]:
    """All modules, and what is said of each: 0.1 ms for a ResNet-50."""
    parts, found = [module], {id(module)}
    said: list[Any] = []
    for part in parts:  # which grows
        own = part.__dict__
        said.append(id(part))
        for inner in own.get("_modules", {}).values():  # TorchScript keeps its own elsewhere
            if inner is not None and id(inner) not in found:
                found.add(id(inner))
                parts.append(inner)
        if own.get("_parameters"):
            said += [None if one is None else one.shape for one in own["_parameters"].values()]
        if "stride" in own:
            said += [own.get(name) for name in _SETTINGS]
    return parts, said


def fresh(cache: dict[Any, Any], module: nn.Module) -> None:
    """Forget what a cache holds about a module of which a part has been replaced or reshaped since."""
    structure = cache.get("structure")
    if structure is None or not structure.holds(module):
        kept = {key: cache[key] for key in ("memory",) if key in cache}
        cache.clear()
        cache.update(kept, structure=Structure(module))


def unclear(cache: dict[Any, Any], name: str) -> bool:
    """Whether a layer gives several numbers a unit and it is not known which of them are one unit's."""
    rows = [row for table in cache.values() if isinstance(table, Layers) for row in table.rows]
    return any(name in (row.name, f"{row.name}#1") and row.units is None and len(row.shape) > 1 for row in rows)


def turned(
    names: Iterable[str], cache: dict[Any, Any], this: Callable[[], Layers], real: Callable[[], Layers]
) -> dict[str, Axes]:
    """The layers among these whose output is not (images, channels, …), and how it is turned into that.

    The dimensions of a layer are the same for every size of picture, so any table that is there will do; but how
    many rows and columns a row of tokens has is only in `this`, the one for the size at hand. A layer that does not
    run for a blank picture is looked up in `real`, made with the pictures themselves.
    """
    names = list(names)
    if not names:
        return {}
    try:
        table = next((one for one in cache.values() if isinstance(one, Layers)), None) or this()
        found = _rows(names, table)
        if any(row is not None and row.grid is not None for row in found.values()):
            found = _rows(names, this())
        paths = {row.path for row in table.rows}
        if any(split_call(name)[0] not in paths for name in names):
            found = _rows(names, real())
    except BadNetwork:
        return {}  # the pass itself will say why, in its own words
    return {name: axes for name, axes in found.items() if axes is not None and not axes.usual}


def _rows(names: list[str], table: Layers) -> dict[str, Axes | None]:
    rows = {row.name: row.axes for row in table.rows} | {f"{r.name}#1": r.axes for r in table.rows if r.calls == 1}
    return {name: rows[name] for name in names if name in rows}
