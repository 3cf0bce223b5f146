"""What was found out about a module, for as long as the module stays what it was."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pellucid.net import layers, sizes
from pellucid.net.axes import Axes
from pellucid.net.dimensions import refused_once
from pellucid.net.layers import Layer, Layers
from pellucid.net.tap import split_call

if TYPE_CHECKING:
    from pellucid.net import Net

_LASTING = ("largest",)  # what does not depend on the module's parts
_BUILT = ("largest", "chunk", "fits", "outputs", "ending", "pictures")
"""What does not depend on its weights, besides the layer tables."""
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
            said += [None if one is None or is_lazy(one) else one.shape for one in own["_parameters"].values()]
        if "stride" in own:
            said += [own.get(name) for name in _SETTINGS]
    return parts, said


def fresh(net: Net) -> None:
    """Forget what was found out about a network of which a part has been replaced or reshaped since."""
    structure = net._cache.get("structure")
    # nobody changes the network while its answers are remembered
    if structure is not None and net._run_cache is None and not structure.holds(net.module):
        kept = {key: net._cache[key] for key in _LASTING if key in net._cache}
        net._cache.clear()
        net._cache.update(kept)
    if "structure" not in net._cache:
        net._cache["structure"] = Structure(net.module)


def architecture(net: Net, module: nn.Module) -> dict[Any, Any]:
    """What is known of a network and true of a module that differs in its weights alone: tables, sizes, its end."""
    fresh(net)
    found = {key: value for key, value in net._cache.items() if key in _BUILT or isinstance(value, Layers)}
    return found | {"structure": Structure(module)}


def table(net: Net, size: tuple[int, int] | None) -> Layers:
    """The layer table for an input of that size, made once."""
    fresh(net)
    size = size or net.size
    if size not in net._cache:
        inputs = sizes.blank(net, size)
        refused_once(net._cache, net.module, lambda: inputs, net.name)
        with sizes.advising(net):
            net._cache[size] = layers.table(net.module, inputs)
    found: Layers = net._cache[size]
    return found


def table_of(net: Net, pixels: Tensor) -> Layers:
    """The layer table of a pass over the first of these pixels (N, C, H, W) in 0..1."""
    like = layers.blank(net.module, pixels.shape[1], (pixels.shape[-2], pixels.shape[-1]))
    return layers.table(net.module, net.preprocess.normalize(pixels[:1].detach().to(like)))


def row(net: Net, name: str, size: tuple[int, int] | None, of: Tensor | None) -> Layer:
    """The row of one layer; with `of` as it is for these pixels, where a blank image does not make it run."""
    found = table(net, size if of is None else (of.shape[-2], of.shape[-1]))
    if of is not None and name not in found and split_call(name)[0] in dict(net.module.named_modules()):
        found = table_of(net, of)
    return found[name]


def unclear(net: Net, name: str) -> bool:
    """Whether a layer gives several numbers a unit and it is not known which of them are one unit's."""
    rows = [row for found in net._cache.values() if isinstance(found, Layers) for row in found.rows]
    return any(name in (row.name, f"{row.name}#1") and row.units is None and len(row.shape) > 1 for row in rows)


def turned(net: Net, names: Iterable[str], pixels: Tensor) -> dict[str, Axes]:
    """The layers among these whose output is not (images, channels, …), and how it is turned into that.

    The dimensions of a layer are the same for every size of image, so any table that is there will do; but how
    many rows and columns a row of tokens has is only in the one for the size at hand. A layer that does not run for a
    blank image is looked up in a table of these very pixels.
    """
    names, size = list(names), (pixels.shape[-2], pixels.shape[-1])
    if not names:
        return {}
    fresh(net)
    some = next((one for one in net._cache.values() if isinstance(one, Layers)), None) or table(net, size)
    found = _rows(names, some)
    if any(axes is not None and axes.grid is not None for axes in found.values()):
        found = _rows(names, table(net, size))
    paths = {one.path for one in some.rows}
    if any(split_call(name)[0] not in paths for name in names):
        found = _rows(names, table_of(net, pixels))
    return {name: axes for name, axes in found.items() if axes is not None and not axes.usual}


def _rows(names: list[str], found: Layers) -> dict[str, Axes | None]:
    rows = {row.name: row.axes for row in found.rows} | {f"{r.name}#1": r.axes for r in found.rows if r.calls == 1}
    return {name: rows[name] for name in names if name in rows}
