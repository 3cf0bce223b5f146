"""Operations written in simpler ones, so that a rule for sums, products and single numbers serves them all.

These run under the rule's mode: each step is a call that the rule meets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def composed(operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The same numbers (to rounding), from simpler operations; None where no way is known for these arguments."""
    return _WAYS[operation](*args, **kwargs)


def _standardized(x: Tensor, over: tuple[int, ...], eps: float) -> Tensor:
    centered = x - x.mean(over, keepdim=True)
    return centered * ((centered * centered).mean(over, keepdim=True) + eps).rsqrt()


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    x = x if weight is None else x * weight.view(shape)
    return x if bias is None else x + bias.view(shape)


def _layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    _cudnn: bool = True,
) -> Tensor:
    over = tuple(range(-len(normalized_shape), 0))
    return _affine(_standardized(input, over, eps), weight, bias, tuple(normalized_shape))


def _rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    over = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(input.dtype).eps if eps is None else eps
    x = input * ((input * input).mean(over, keepdim=True) + eps).rsqrt()
    return _affine(x, weight, None, tuple(normalized_shape))


def _group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    _cudnn: bool = True,
) -> Tensor:
    grouped = input.reshape(len(input), num_groups, -1)
    x = _standardized(grouped, (2,), eps).reshape(input.shape)
    return _affine(x, weight, bias, (1, -1, *[1] * (input.dim() - 2)))


def _instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *_: Any,
) -> Tensor | None:
    if not use_input_stats:
        return None
    return _group_norm(input, input.shape[1], weight, bias, eps)


def _local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    squares = (input * input).unsqueeze(1)
    padded = F.pad(squares, (0, 0) * (input.dim() - 2) + (size // 2, (size - 1) // 2))
    around = padded.unfold(2, size, 1).mean(-1).squeeze(1)
    return input * (around * alpha + k).pow(beta).reciprocal()  # what only scales, as the rules see it


def _normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: None = None) -> Tensor | None:
    length = _norm(input, p, dim, True)
    return None if length is None else input * length.clamp_min(eps).reciprocal()


def _norm(
    input: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any, ord: Any = None, **__: Any
) -> Tensor | None:
    p = ord if ord is not None else p
    over = tuple(range(input.dim())) if dim is None else dim
    if p in (None, "fro", 2, 2.0):
        total = (input * input).sum(over, keepdim=keepdim)
        return (total + _least(total.dtype)).sqrt()  # at 0 the root has no slope
    return input.abs().sum(over, keepdim=keepdim) if p in (1, 1.0) else None


def _least(dtype: torch.dtype) -> float:
    return 6e-8 if dtype == torch.float16 else 1e-30


def _vector_norm(input: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor | None:
    return _norm(input, ord, dim, keepdim)


def _linalg_norm(input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor | None:
    axes = input.dim() if dim is None else 1 if isinstance(dim, int) else len(dim)
    is_matrix_norm = ord not in (None, "fro") and axes != 1
    return None if is_matrix_norm else _norm(input, ord, dim, keepdim)


def _var(input: Tensor, dim: Any = None, *rest: Any, **named: Any) -> Tensor | None:
    unbiased = named.get("unbiased", named.get("correction", rest[0] if rest else True))
    keepdim = named.get("keepdim", rest[1] if len(rest) > 1 else False)
    if isinstance(dim, bool) or (unbiased is not None and int(unbiased) not in (0, 1)):
        return None
    over = tuple(range(input.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    count = math.prod(input.shape[axis] for axis in over)
    centered = input - input.mean(over, keepdim=True)
    degrees = count - (1 if unbiased is None else int(unbiased))
    return (centered * centered).sum(over, keepdim=keepdim) / max(degrees, 1)


def _std(input: Tensor, *rest: Any, **named: Any) -> Tensor | None:
    variance = _var(input, *rest, **named)
    return None if variance is None else variance.sqrt()


def _exponentials(input: Tensor, dim: int) -> Tensor:
    return (input - input.amax(dim, keepdim=True)).exp()


def _asked(input: Tensor, dim: int | None, rest: tuple[Any, ...], dtype: Any) -> tuple[Tensor, int]:
    """The input in the type asked for, in whichever place, and the axis."""
    dtype = next((part for part in rest if isinstance(part, torch.dtype)), dtype)
    input = input if dtype is None else input.to(dtype)
    return input, (0 if input.dim() in (0, 1, 3) else 1) if dim is None else dim  # as torch chooses it


def _softmax(input: Tensor, dim: int | None = None, *rest: Any, dtype: Any = None, **_: Any) -> Tensor:
    input, dim = _asked(input, dim, rest, dtype)
    parts = _exponentials(input, dim)
    return parts * parts.sum(dim, keepdim=True).reciprocal()


def _logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    over = dim if isinstance(dim, (tuple, list)) else (dim,)
    largest = input.amax(over, keepdim=True)
    total = ((input - largest).exp().sum(over, keepdim=True)).log() + largest
    return total if keepdim else total.squeeze(tuple(over))


def _log_softmax(input: Tensor, dim: int | None = None, *rest: Any, dtype: Any = None, **_: Any) -> Tensor:
    input, dim = _asked(input, dim, rest, dtype)
    return input - _logsumexp(input, dim, True)


def _glu(input: Tensor, dim: int = -1) -> Tensor:
    value, gate = input.chunk(2, dim)
    return value * gate.sigmoid()


def _maximum(input: Tensor, other: Tensor) -> Tensor:
    return other + (input - other).relu()


def _minimum(input: Tensor, other: Tensor) -> Tensor:
    return other - (other - input).relu()


def _div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor | None:
    return input * other.reciprocal() if rounding_mode is None else None


def _rdiv(input: Tensor, other: Any) -> Tensor | None:
    return _div(other, input)


def _addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float | int = 1) -> Tensor:
    total: Tensor = input + tensor1 * tensor2 * value
    return total


def _addmm(input: Any, a: Any, b: Any, *, beta: float | int = 1, alpha: float | int = 1) -> Tensor:
    total: Tensor = input * beta + a @ b * alpha
    return total


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor | None:
    if is_causal or enable_gqa or (attn_mask is not None and attn_mask.dtype == torch.bool):
        return None
    scores = query @ key.transpose(-2, -1) * (scale if scale is not None else query.shape[-1] ** -0.5)
    return (scores if attn_mask is None else scores + attn_mask).softmax(-1) @ value


_WAYS: dict[str, Callable[..., Tensor | None]] = {
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "local_response_norm": _local_response_norm,
    "normalize": _normalize,
    "norm": _norm,
    "vector_norm": _vector_norm,
    "linalg_norm": _linalg_norm,
    "var": _var,
    "std": _std,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "glu": _glu,
    "maximum": _maximum,
    "minimum": _minimum,
    "div": _div,
    "rdiv": _rdiv,
    "addcmul": _addcmul,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "scaled_dot_product_attention": _attention,
}
