"""What is found out about how a network behaves: whether it draws random numbers, whether images that run together
change one another, whose hooks are on it. Once for each module, and at no cost for ordinary ones.

Random numbers show in the state of the generators after a pass. Whether images may mix is read off the traced pass
that the layer table is made from: only where it met an operation that could are two images run to see.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as of_all
from torch.utils.weak import WeakTensorKeyDictionary

_SHOWN = 3
ONE_BY_ONE = "the images of this network have to run one by one (its notes say why)"


@dataclass(eq=False)
class Conduct:
    """What is known about one module, and its lock: two Nets around it must not corrupt each other."""

    lock: Any = field(default_factory=threading.RLock)
    draws: bool = False
    """It draws random numbers: every pass begins with the same seed, and its images run one by one."""
    suspected: tuple[str, ...] = ()
    """The generators that had moved after the last pass; another thread may have done that."""
    cleared: bool = False
    """It was looked into, and it was not the network."""
    mixing: tuple[str, ...] = ()
    """Operations of the traced pass that may let images change one another."""
    mixes: bool | None = None
    """Whether they do; None where nobody has looked yet."""
    opaque: tuple[str, ...] = ()
    """Operations from outside torch's own that it ran: some, such as quantized ones, have no gradient."""
    hooks: tuple[str, ...] = ()
    """The layers on which others have hung hooks."""
    replays: bool = False
    """It packs what its backward pass needs by functions of its own, which may run parts of it again to unpack it."""

    @classmethod
    def of(cls, module: nn.Module) -> Conduct:
        """The one record of that module, whoever asks."""
        with _known_lock:
            return _known.setdefault(module, cls())

    def shared_with(self, module: nn.Module) -> None:
        """What another module of the same layers, with other weights, begins with: the lock, and what weights leave.

        Whether images mix is looked into anew: a gate that is closed here may be open there.
        """
        with _known_lock:
            _known[module] = replace(self, mixes=None if self.mixing else self.mixes)

    def traced(self, seen: Suspicion) -> None:
        """Take down what a traced pass showed; a network that was changed may mix images now, or no more."""
        self.draws, self.cleared = self.draws or seen.draws, False
        self.opaque = tuple(seen.opaque)
        if self.mixing != tuple(seen.mixing) or not seen.mixing:
            self.mixing, self.mixes = tuple(seen.mixing), None if seen.mixing else False

    @property
    def alone(self) -> bool:
        """Whether its images must run one by one."""
        return self.draws or bool(self.mixes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What every result about the network says of it."""
        found = []
        if self.draws:
            found.append(
                "the network draws random numbers in evaluation mode (a dropout that stays on?): all its passes were "
                "run with one seed, image by image; another seed gives another result"
            )
        if self.mixes:
            found.append(
                f"images that run together change one another in this network ({', '.join(self.mixing[:_SHOWN])}): "
                "they were run one by one"
            )
        if self.hooks:
            many = len(self.hooks)
            shown = ", ".join(self.hooks[:_SHOWN]) + ", …" * (many > _SHOWN)
            found.append(
                f"hooks that are not Pellucid's are on {many} layer{'s' * (many > 1)} ({shown}): the result includes "
                "what they do; if another tool left them there, call remove() on their handles or load the network anew"
            )
        return tuple(found)


_known: weakref.WeakKeyDictionary[nn.Module, Conduct] = weakref.WeakKeyDictionary()
_known_lock = threading.Lock()


def foreign_hooks(module: nn.Module, parts: list[nn.Module]) -> tuple[str, ...]:
    """The names of the layers with hooks by others than torch itself (weight norm, pruning and quantization use some).

    To be called before anything of ours hangs there.
    """
    found = {id(part) for part in parts if _hooked(part) and any(map(_foreign, _hooks(part)))}
    names = [name or "the whole network" for name, part in module.named_modules() if id(part) in found] if found else []
    everywhere = (of_all._global_forward_hooks, of_all._global_forward_pre_hooks, of_all._global_backward_hooks)
    if any(everywhere) or of_all._global_backward_pre_hooks:
        names.append("all modules of the process")
    return tuple(names)


def _hooked(part: nn.Module) -> bool:
    return bool(part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks)


def _hooks(part: nn.Module) -> list[Any]:
    all_of_it = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)
    return [hook for some in all_of_it for hook in some.values()]


def _foreign(hook: Any) -> bool:
    home = getattr(hook, "__module__", None) or type(hook).__module__
    return not str(home).startswith("torch.")


_DRAWS = {
    "bernoulli", "rand", "randn", "rand_like", "randn_like", "randint", "randint_like", "randperm", "normal",
    "uniform", "random", "exponential", "multinomial", "native_dropout", "poisson", "geometric", "cauchy",
    "log_normal", "binomial", "rrelu_with_noise", "_standard_gamma",
}  # fmt: skip
# Operations that treat every image of the batch, which is the first axis, by itself.
_APART = {
    "convolution", "_convolution", "cudnn_convolution", "mkldnn_convolution", "conv2d", "max_pool2d_with_indices",
    "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool1d",
    "adaptive_avg_pool1d", "upsample_nearest2d", "upsample_bilinear2d", "_upsample_bilinear2d_aa", "native_group_norm",
    "upsample_bicubic2d", "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "clone", "detach", "alias",
    "_to_copy", "contiguous", "addmm", "mm", "linear", "prelu", "_prelu_kernel", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "grid_sampler_2d", "im2col", "col2im", "silu", "gelu", "hardswish", "hardsigmoid", "hardtanh",
    "bmm", "_scaled_dot_product_flash_attention_for_cpu", "zeros_like", "ones_like", "empty_like", "full_like",
}  # fmt: skip
# … and those that do where the number of rows stays as it is.
_RESHAPES = {"view", "reshape", "_unsafe_view", "flatten", "expand", "squeeze"}
# Where the axis, or the axes, are the second argument, the first, or the third of these.
_ALONG = {
    "mean": 1, "sum": 1, "amax": 1, "amin": 1, "max": 1, "min": 1, "var": 1, "std": 1, "var_mean": 1, "logsumexp": 1,
    "_softmax": 1, "_log_softmax": 1, "softmax": 1, "log_softmax": 1, "cumsum": 1, "argmax": 1, "argmin": 1,
    "linalg_vector_norm": 2, "norm": 2, "topk": 2, "sort": 1, "cat": 1, "stack": 1, "select": 1, "slice": 1,
    "split": 2, "split_with_sizes": 2, "unbind": 1, "chunk": 2, "flip": 1, "roll": 2, "index_select": 1,
}  # fmt: skip
_FIRST = {"split", "split_with_sizes", "select", "slice", "unbind", "cat", "stack", "chunk"}
"""Of these the axis is the first one where nothing is said."""


class Suspicion:
    """Looks at the operations of one traced pass over one image, and notes those that may mix images, or draw."""

    def __init__(self, inputs: Tensor) -> None:
        self.live: Any = WeakTensorKeyDictionary()
        self.live[inputs] = True
        self.draws = False
        self.mixing: dict[str, None] = {}
        self.opaque: dict[str, None] = {}

    def __call__(self, operation: Any, args: Any, kwargs: Any, output: Any) -> None:
        """One operation, after it has run."""
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        self.draws = self.draws or name in _DRAWS
        sources = [t for t in _tensors(args) if t in self.live]
        if not sources:
            return
        for tensor in _tensors(output):
            self.live[tensor] = True
        if not operation._schema.name.startswith("aten::"):
            self.opaque[operation._schema.name] = None
        if not _treats_apart(operation, name, sources, args, kwargs, output):
            self.mixing[name] = None


def _treats_apart(operation: Any, name: str, live: list[Tensor], args: Any, kwargs: Any, output: Any) -> bool:
    """Whether the operation certainly keeps images, which lie along the first axis, apart from one another."""
    rank = live[0].dim()
    if "batch_norm" in name:  # its first flag: whether it goes by the statistics of the batch
        return "no_training" in name or not next((arg for arg in args if isinstance(arg, bool)), True)
    if not rank or name == "native_layer_norm":
        return rank > len(args[1]) if rank else False
    if name == "unsqueeze":
        return bool(args[1] % (rank + 1))
    if name in _RESHAPES:
        return bool(output.dim() > 0 and output.shape[0] == live[0].shape[0])
    if name == "permute":
        return int(args[1][0]) % rank == 0
    if name == "transpose":
        return all(axis % rank for axis in args[1:3])
    if name in _ALONG:
        axes = args[_ALONG[name]] if len(args) > _ALONG[name] else kwargs.get("dim", 0 if name in _FIRST else None)
        return _past_first(axes, rank + (name == "stack"))
    if torch.Tag.pointwise in operation.tags:  # (N, C) with (N, 1, C) gives (N, N, C)
        return len({tensor.dim() for tensor in live}) == 1
    return name in _APART


def _past_first(axes: Any, dimensions: int) -> bool:
    """Whether the axes are there, and the first is not among them."""
    if isinstance(axes, int):
        axes = [axes]
    return bool(axes) and all(isinstance(a, int) for a in axes) and not any(a % max(dimensions, 1) == 0 for a in axes)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for part in value for t in _tensors(part)] if isinstance(value, (tuple, list)) else []


def same(one: Any, other: Any) -> bool:
    """Whether two passes gave the same numbers."""
    pairs = zip(tensors_of(one), tensors_of(other), strict=False)
    return all(a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)


def tensors_of(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in tensors_of(part)]
