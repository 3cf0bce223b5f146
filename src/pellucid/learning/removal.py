"""Whole layers or blocks taken out of a network: where what goes in and what comes out have one shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from pellucid.learning.initial import copied, put, weighted
from pellucid.net import Net, apart, tap


def removable(net: Net, example: Tensor) -> tuple[str, ...]:
    """Layers with weights, or the blocks that hold them, which give a tensor of the shape that they take and are called
    once, in the order of execution; the outermost of them, but no plain sequence. `example` is an image, (1, C, H, W).
    """
    taken: dict[str, Any] = {}
    same: dict[str, bool] = {}
    calls: dict[str, int] = {}

    def begun(name: str, given: tuple[Any, ...]) -> None:
        taken[name] = given[0].shape if len(given) == 1 and isinstance(given[0], Tensor) else None

    def seen(name: str, call: int, part: nn.Module, output: Any) -> None:
        calls[name] = call
        fits = isinstance(output, Tensor) and output.shape == taken.get(name)
        same[name] = fits and not isinstance(part, nn.Sequential)

    tap.trace(net.module, apart.inputs_of(net, example), lambda *_: None, seen, begun)
    heavy = weighted(net.module)
    found = [name for name, fits in same.items() if fits and calls[name] == 1 and ".parametrizations" not in name
             and any(one == name or one.startswith(f"{name}.") for one in heavy)]  # fmt: skip
    return tuple(name for name in found if not any(name.startswith(f"{other}.") for other in found))


def without(net: Net, names: Iterable[str]) -> Net:
    """A copy in which these layers hand on what they receive. Refused where no copy can be made."""
    module = copied(net.module, net.name)
    for name in names:
        put(module, name, nn.Identity())
    return net.with_module(module.eval())


def weights_of(net: Net, names: Iterable[str]) -> int:
    """How many parameters these layers have."""
    return sum(p.numel() for name in names for p in net.module.get_submodule(name).parameters())
