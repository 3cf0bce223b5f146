"""Which axes of a network's tensors hold the same channels: found by running it once, whatever its code looks like.

The channels of such a group may change places together, and the network computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode, resolve_name

from pellucid.net import Net, apart, tap
from pellucid.net.guard import undisturbed
from pellucid.net.norms import arguments_of_norm
from pellucid.net.weights import original_of


@dataclass(frozen=True)
class Held:
    """Where a tensor holds the channels of a group: along `axis`, each of them `inner` times in a row."""

    name: str
    axis: int
    inner: int = 1


@dataclass(eq=False)
class Group:
    """Channels that may only change places together. `fixed` says why they may not."""

    size: int
    places: list[Held] = field(default_factory=list)
    fixed: str = ""


@dataclass(frozen=True)
class _Carries:
    """What an activation holds along dimension 1: the channels of a group, each `inner` times in a row."""

    group: int
    inner: int = 1


_SAME = {
    "relu", "relu_", "leaky_relu", "leaky_relu_", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish",
    "hardtanh", "hardsigmoid", "relu6", "sigmoid", "tanh", "softplus", "dropout", "dropout_", "dropout2d",
    "feature_dropout", "clamp", "clamp_min", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d",
    "adaptive_max_pool2d", "boolean_dispatch", "max_pool2d_with_indices", "max_pool1d", "avg_pool1d", "interpolate",
    "contiguous", "clone", "to", "float", "double", "detach", "exp", "sqrt", "square", "abs", "neg", "__neg__",
}  # fmt: skip
"""Functions that treat every channel alike, and leave it in its place."""
_TOGETHER = {"add", "add_", "__add__", "__radd__", "__iadd__", "sub", "__sub__", "__isub__", "mul", "mul_", "__mul__",
             "__rmul__", "__imul__", "div", "__truediv__", "maximum", "minimum"}  # fmt: skip
_OVER_PLACES = {"mean", "sum", "amax", "__getitem__"}
_CONVS = {torch.conv1d, torch.conv2d, torch.conv3d, F.conv1d, F.conv2d, F.conv3d}
_LINEAR = {F.linear, torch._C._nn.linear}
_NORMS = {torch.batch_norm, F.batch_norm}


class _Follow(TorchFunctionMode):
    """Follows the channels of every activation through the calls of a pass."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = original_of(module)  # which holds what the pass computes with, also where that is exchanged
        self.names: dict[int, tuple[str, Tensor]] = {}
        self.groups: list[Group] = []
        self.joined: list[int] = []
        self._carried: dict[int, tuple[Tensor, _Carries]] = {}

    def begin(self, size: int, why: str = "") -> int:
        """A new group."""
        self.groups.append(Group(size, fixed=why))
        self.joined.append(len(self.joined))
        return len(self.groups) - 1

    def root(self, group: int) -> int:
        """The group that it has become a part of."""
        while self.joined[group] != group:
            group = self.joined[group]
        return group

    def tie(self, one: int, other: int) -> int:
        """Two groups are one from now on."""
        one, other = self.root(one), self.root(other)
        if one != other:
            kept, gone = self.groups[one], self.groups[other]
            if kept.size != gone.size:
                kept.fixed = kept.fixed or "channels meet others of another number"
                gone.fixed = kept.fixed
                return one
            kept.places += gone.places
            kept.fixed = kept.fixed or gone.fixed
            self.joined[other] = one
        return one

    def hold(self, tensor: Any, axis: int, carries: _Carries) -> None:
        """A parameter or a buffer holds the channels of a group."""
        if tensor is None:
            return
        if id(tensor) not in self.names:  # asked within the pass, for whose length buffers are copies
            named = [*self.module.named_parameters(), *self.module.named_buffers()]
            self.names |= {id(one): (name, one) for name, one in named}  # held, so that no other gets the same id
        group = self.groups[self.root(carries.group)]
        name, _ = self.names.get(id(tensor), ("", None))
        if name:
            group.places.append(Held(name, axis, carries.inner))
        else:  # it would stay in the old order
            group.fixed = group.fixed or "a tensor that is no weight of the network is used with them"

    def fix(self, value: Any, why: str) -> None:
        """The channels of an activation stay where they are."""
        if (held := self.of(value)) is not None:
            group = self.groups[self.root(held.group)]
            group.fixed = group.fixed or why

    def of(self, value: Any) -> _Carries | None:
        """What an activation carries."""
        known = self._carried.get(id(value))
        return known[1] if known is not None else None

    def carry(self, tensor: Any, carries: _Carries | None) -> None:
        """From now on."""
        if isinstance(tensor, Tensor) and carries is not None:
            self._carried[id(tensor)] = tensor, carries

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        inputs = [one for one in _flat((*args, *kwargs.values())) if self.of(one) is not None]
        if not inputs or not any(isinstance(one, Tensor) for one in _flat((output,))):  # a shape tells nothing apart
            return output
        name = (resolve_name(func) or getattr(func, "__name__", str(func))).rpartition(".")[2]
        self._met(func, name, args, kwargs, output)
        return output

    def _met(self, func: Any, name: str, args: Any, kwargs: Any, output: Any) -> None:
        if func in _CONVS:
            self._convolution(args, kwargs, output)
        elif func in _LINEAR:
            self._linear(args, output)
        elif func in _NORMS:
            given = arguments_of_norm(func, args, kwargs)
            held = self.of(given["input"])
            for one in ("running_mean", "running_var", "weight", "bias"):
                if held is not None:
                    self.hold(given[one], 0, held)
            self.carry(output, held)
        elif name in _SAME:
            self.carry(output, self.of(args[0]))
        elif name in _TOGETHER:
            self._pair(args, output)
        elif name in ("flatten", "reshape", "view"):
            self._reshaped(args[0], output)
        elif name in _OVER_PLACES and output.shape[:2] == args[0].shape[:2] and _whole(args[1:], name):
            self.carry(output, self.of(args[0]))
        else:
            for one in _flat((*args, *kwargs.values())):
                self.fix(one, f"{name} may tell channels apart")
            if isinstance(output, Tensor) and output.dim() > 1:
                self.carry(output, _Carries(self.begin(output.shape[1], f"it comes out of {name}")))

    def _convolution(self, args: Any, kwargs: Any, output: Tensor) -> None:
        x, weight = args[0], args[1]
        bias = args[2] if len(args) > 2 else kwargs.get("bias")
        groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
        held = self.of(x)
        if groups == 1:
            if held is not None:
                self.hold(weight, 1, held)
            made = _Carries(self.begin(output.shape[1]))
        elif groups == x.shape[1] == output.shape[1] and held is not None:
            made = held
        else:
            self.fix(x, "a grouped convolution takes them by their place")
            made = _Carries(self.begin(output.shape[1], "a grouped convolution makes them by their place"))
        self.hold(weight, 0, made)
        self.hold(bias, 0, made)
        self.carry(output, made)

    def _linear(self, args: Any, output: Tensor) -> None:
        x, weight = args[0], args[1]
        held = self.of(x)
        if x.dim() != 2:
            self.fix(x, "a linear layer acts on another dimension")
        elif held is not None:
            self.hold(weight, 1, held)
        made = _Carries(self.begin(weight.shape[0]))
        self.hold(weight, 0, made)
        self.hold(args[2] if len(args) > 2 else None, 0, made)
        self.carry(output, made)

    def _pair(self, args: Any, output: Tensor) -> None:
        """Two activations meet, channel by channel; a parameter may be one of them."""
        held = [self.of(one) for one in args[:2]]
        if held[0] is not None and held[1] is not None and args[0].shape[1] == args[1].shape[1]:
            self.carry(output, _Carries(self.tie(held[0].group, held[1].group), held[0].inner))
            return
        known = held[0] or held[1]
        other = args[1] if held[0] is not None else args[0]
        if isinstance(other, Tensor) and other.numel() > 1:
            for one in args[:2]:
                self.fix(one, "they meet a tensor of another kind")
        self.carry(output, known)

    def _reshaped(self, x: Tensor, output: Tensor) -> None:
        held = self.of(x)
        if held is None or output.shape[0] != x.shape[0] or output.dim() < 2:
            self.fix(x, "they are reshaped")
        elif output.shape[1] == x.shape[1]:
            self.carry(output, held)
        elif output.dim() == 2 and x.dim() > 2:
            self.carry(output, _Carries(held.group, held.inner * x[0, 0].numel()))
        else:
            self.fix(x, "they are reshaped")
            self.carry(output, _Carries(self.begin(output.shape[1], "they are reshaped")))


def _whole(index: tuple[Any, ...], name: str) -> bool:
    """Whether what is taken out of an activation leaves every channel in its place: `x[:, :, ::2]` does."""
    if name != "__getitem__":
        return True
    parts = index[0] if isinstance(index[0], tuple) else (index[0],)
    return all(isinstance(one, slice) and one == slice(None) for one in parts[:2])


def groups_of(net: Net, pixels: Tensor) -> list[Group]:
    """The groups of channels that may change places, by one pass over these pixels; the fixed ones last.

    The input and the output stay as they are.
    """
    follow, inputs = _Follow(net.module), apart.inputs_of(net, pixels)
    follow.carry(inputs, _Carries(follow.begin(inputs.shape[1], "they are the channels of the images")))
    with undisturbed(net.module), torch.no_grad(), follow:  # one pass: `run` may find things out by passes of its own
        output = tap.called(net.module, inputs)
    for one in _flat((output,)):
        follow.fix(one, "they are the outputs")
    found = [group for number, group in enumerate(follow.groups) if follow.root(number) == number and group.places]
    return sorted(found, key=lambda group: bool(group.fixed))


def _flat(values: Any) -> list[Any]:
    found: list[Any] = []
    for one in values:
        found += _flat(one) if isinstance(one, (tuple, list)) else [one]
    return found
