"""What torch calls its operations: every alias of a function, method or operator -> one name, one kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Kind = Literal["elementwise", "weighted", "batch_norm", "product", "quotient", "matmul", "pool", "composed", "alike"]
"""elementwise: one function of each number. weighted: linear in the signal, with weights and a bias. pool: selects
the largest. composed: rewritten in simpler operations. alike: linear, whatever rule there is."""


def _words(text: str) -> list[str]:
    return text.split()


ACTIVATIONS = _words("""
    relu relu6 hardtanh clamp threshold leaky_relu prelu rrelu elu selu celu gelu silu mish hardswish softplus
    sigmoid tanh hardsigmoid logsigmoid softsign tanhshrink softshrink hardshrink
""")
_FUNCTIONS = _words("""
    exp log sqrt rsqrt square abs pow reciprocal erf sin cos log1p expm1 atan sinh cosh
""")
_COMPOSED = _words("""
    layer_norm group_norm instance_norm rms_norm local_response_norm normalize softmax log_softmax glu norm
    vector_norm var std maximum minimum logsumexp linalg_norm scaled_dot_product_attention addcmul addmm baddbmm
""")
_ALIKE = _words("""
    add sub subtract rsub neg negative mean sum cat concat concatenate stack split chunk unbind tensor_split
    view reshape view_as reshape_as flatten unflatten squeeze unsqueeze permute transpose swapaxes movedim
    moveaxis t expand expand_as contiguous clone to type_as float double half bfloat16 pad interpolate upsample
    avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d dropout
    dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout getitem select narrow index_select gather
    roll flip repeat tile repeat_interleave fold unfold pixel_shuffle pixel_unshuffle channel_shuffle
    native_channel_shuffle grid_sample cumsum detach positive requires_grad_ data real copy masked_fill where
    split_with_sizes swapdims adjoint expand_copy take_along_dim
    rot90 broadcast_to ravel constant_pad_nd _adaptive_avg_pool2d upsample_nearest upsample_bilinear
    diff trace unsafe_chunk hstack vstack dstack
""")
_RENAMED = {
    "clip": "clamp", "clamp_min": "clamp", "clamp_max": "clamp", "_prelu_kernel": "prelu", "multiply": "mul",
    "truediv": "div", "divide": "div", "true_divide": "div", "pow": "pow", "absolute": "abs",
    "rdiv": "rdiv", "rtruediv": "rdiv", "rpow": "rpow", "bmm": "matmul", "mm": "matmul", "rmatmul": "rmatmul",
}  # fmt: skip
_KINDS: dict[str, Kind] = {
    **dict.fromkeys([*ACTIVATIONS, *_FUNCTIONS], "elementwise"),
    **dict.fromkeys(["linear", *(f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3))], "weighted"),
    "batch_norm": "batch_norm",
    "mul": "product",
    "div": "quotient",
    "rdiv": "quotient",
    **dict.fromkeys(["matmul", "rmatmul", "einsum"], "matmul"),
    **dict.fromkeys([f"{a}max_pool{d}d" for a in ("", "adaptive_") for d in (1, 2, 3)], "pool"),
    **dict.fromkeys(["max_pool1d_with_indices", "max_pool2d_with_indices", "amax", "amin", "max", "min"], "pool"),
    **dict.fromkeys(_COMPOSED, "composed"),
    **dict.fromkeys(_ALIKE, "alike"),
}
SHIFTS = {"add", "sub", "subtract", "rsub", "neg", "negative"}
"""Sums and signs: with products, what pixels are normalized by."""
_OF_ANOTHER_ORDER = {(torch, "instance_norm")}
"""Their arguments are not those of the function of that name in torch.nn.functional."""
_AMONG_TENSORS_TOO = {"clip", "clamp_min", "clamp_max", "multiply", "divide", "true_divide", "bmm", "mm", "absolute"}


@dataclass(frozen=True)
class OpAlias:
    """One callable of torch: the operation that it is, its kind, and whether it writes into its first argument."""

    operation: str
    kind: Kind
    writes: bool


def _aliases() -> Iterator[tuple[Any, OpAlias]]:
    homes = (torch, Tensor, F, torch._C._nn, torch.special, torch.linalg)
    for turned in ("T", "mT", "H", "mH"):
        yield getattr(Tensor, turned).__get__, OpAlias("transpose", "alike", False)
    for name in [*_KINDS, *_AMONG_TENSORS_TOO, "_prelu_kernel", "truediv", "rtruediv", "rpow", "rmul", "radd", "iadd"]:
        operation = _RENAMED.get(name, name.removeprefix("r") if name in ("rmul", "radd") else name)
        operation = {"iadd": "add"}.get(operation, operation)
        kind = _KINDS.get(operation, "elementwise")
        for word, writes in (
            (name, False),
            (f"{name}_", not name.endswith("_")),
            (f"__{name}__", name == "iadd"),
            (f"__i{name}__", True),
        ):
            for home in homes:
                function = getattr(home, word, None)
                if (home, word) == (torch.linalg, "norm"):  # of matrices, where two axes are given
                    yield function, OpAlias("linalg_norm", "composed", False)
                elif callable(function) and (home, word) not in _OF_ANOTHER_ORDER:
                    yield function, OpAlias(operation, kind, writes)


SPELLINGS: dict[Any, OpAlias] = dict(_aliases())
"""Every callable that torch has for the operations known here."""
SPATIAL = {"linear": 0} | {f"conv{t}{d}d": d for t in ("", "_transpose") for d in (1, 2, 3)}
"""How many axes of places the operations with weights have."""


def alias_of(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], live: int) -> OpAlias | None:
    """What a call is, where `live` of its arguments depend on the pixels; None where nothing is known of it."""
    alias = SPELLINGS.get(func)
    if alias is None:
        return None
    if alias.operation in ("max", "min"):
        other = args[1] if len(args) > 1 else kwargs.get("other")
        return (
            replace(alias, operation=f"{alias.operation}imum", kind="composed") if isinstance(other, Tensor) else alias
        )
    # A power or a bound that depends on the pixels as well, and places to read at that do: neither kind holds.
    coupled = alias.kind == "elementwise" or alias.operation == "grid_sample"
    return None if coupled and live > 1 else alias


MAX_POOLING = frozenset(f"max_pool{d}d{more}" for d in (1, 2, 3) for more in ("", "_with_indices"))
"""Operations that remember which cell of a window was the largest: the switches of deconvnets."""
