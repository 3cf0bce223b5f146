"""One pass that sees what layers hand on and what functions do between them: `torch.sigmoid` is no layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.methods.activations.layer_statistics import Bounds, bounds_of
from pellucid.net import Net, tap
from pellucid.net.layers import blank

_BOUNDS: dict[str, Bounds] = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "hardsigmoid": (0.0, 1.0)}
_KEEP = """
    relu clone contiguous alias detach hardtanh leaky_relu silu gelu elu tanh mul div avg_pool2d neg abs
    max_pool2d_with_indices dropout native_dropout hardswish _to_copy
"""
_KEEPS_ZERO = frozenset(_KEEP.split())

_ZEROS = frozenset(["zeros", "zeros_like", "new_zeros", "full", "new_full", "full_like"])

Function = Callable[[str, str, Bounds, Tensor], None]
"""(the layer in which it runs, its name, its bounds, what it gives)"""
Layered = Callable[[str, int, Any, Tensor | None], None]
"""(layer, which of its calls, what it gives, which of its channels are padding and zero for every image)"""


def watched(net: Net, pixels: Tensor, function: Function, layered: Layered) -> None:
    """Run pixels (N, C, H, W) in 0..1 once, and show every bounded function that is no layer, and every layer."""
    inside: list[str] = [""]
    padding = _Padding()
    parts: dict[str, nn.Module] = dict(net.module.named_modules())

    def watch(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        padding(name, args, output)
        bounds = (float(args[1]), float(args[2])) if name == "hardtanh" and len(args) > 2 else _BOUNDS.get(name)
        part = parts.get(inside[-1])
        if bounds is not None and isinstance(output, Tensor) and (part is None or bounds_of(part) is None):
            function(inside[-1], name, bounds, output)

    def seen(name: str, call: int, part: nn.Module, output: Any) -> None:
        while len(inside) > 1 and inside.pop() != name:
            pass
        layered(name, call, output, padding.of(output))

    like = blank(net.module, pixels.shape[1], (pixels.shape[-2], pixels.shape[-1]))
    inputs = net.preprocess.normalize(pixels.to(like.device)).to(like.dtype)
    tap.trace(net.module, inputs, watch, seen, lambda name, _: inside.append(name))


class _Padding:
    """Which channels of which tensors are zero because they were padded, for every image."""

    def __init__(self) -> None:
        self.zero: Any = WeakTensorKeyDictionary()

    def of(self, output: Any) -> Tensor | None:
        found: Tensor | None = self.zero.get(output) if isinstance(output, Tensor) else None
        return found

    def _of_part(self, part: Tensor) -> Tensor:
        known = self.of(part)
        return torch.zeros(part.shape[1], dtype=torch.bool) if known is None else known

    def __call__(self, name: str, args: tuple[Any, ...], output: Any) -> None:
        if not isinstance(output, Tensor) or output.dim() != 4 or not args:
            return
        first = args[0]
        if name == "constant_pad_nd" and not (args[2] if len(args) > 2 else 0):
            low, high = (*args[1][4:6], 0, 0)[:2] if len(args[1]) > 4 else (0, 0)
            mask = torch.cat([torch.ones(max(low, 0)).bool(), self._of_part(first), torch.ones(max(high, 0)).bool()])
        elif name == "cat" and (args[1] if len(args) > 1 else 0) % 4 == 1:
            none = [torch.zeros(part.shape[1], dtype=torch.bool) for part in first]
            mask = torch.cat(
                [has if (one := self.of(part)) is None else one for part, has in zip(first, none, strict=True)]
            )
        elif name in _ZEROS and not output.any():
            mask = torch.ones(output.shape[1], dtype=torch.bool)
        elif name in _KEEPS_ZERO and isinstance(first, Tensor) and self.of(first) is not None:
            mask = self.zero[first]
        else:
            return
        if mask.any() and len(mask) == output.shape[1]:
            self.zero[output] = mask
