"""What each ATen operation does to the places of its cells: one small rule each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from pellucid.net.receptive import AXES, Axis, Factors, Ints, Provenance, Tag, factors_size


def _pair(value: Any, default: tuple[int, int] = (1, 1)) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    return (value[0], value[-1]) if value else default


def argument(args: Any, i: int, default: Any) -> Any:
    return args[i] if len(args) > i and args[i] is not None else default


def _windowed(
    where: Provenance, out: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, transposed: bool = False
) -> Provenance:
    """Convolution and pooling over the last two dimensions."""
    k, s, p, d = _pair(kernel), _pair(stride, _pair(kernel)), _pair(padding, (0, 0)), _pair(dilation)
    for side, tag in enumerate(AXES):
        dim = out.dim() - 2 + side
        if where.dim(tag) is None and where.lost:
            where = _found_again(where, dim, tag)
        if where.dim(tag) != dim:
            where = where.without(tag) if where.dim(tag) is None else refuse()
            where = replace(where, dims=(*where.dims[:dim], (("", out.shape[dim]),), *where.dims[dim + 1 :]))
            continue
        cells = np.arange(out.shape[dim], dtype=np.int64)
        axis: Axis = getattr(where, tag)
        if transposed:
            first = -((-(cells + p[side] - d[side] * (k[side] - 1))) // s[side])
            last = np.maximum((cells + p[side]) // s[side], first)
            moved = axis.windows(first, last, 1 / s[side])
        else:
            first = cells * s[side] - p[side]
            moved = axis.windows(first, first + d[side] * (k[side] - 1), float(s[side]))
        where = where.moved(tag, moved, len(cells))
    return where


def _found_again(where: Provenance, dim: int, tag: Tag) -> Provenance:
    """Behind an operation that is not known, a window over rows and columns says which dimensions these are."""
    if where.placed(dim):
        refuse()
    n = factors_size(where.dims[dim])
    dims = (*where.dims[:dim], ((tag, n),), *where.dims[dim + 1 :])
    if dim == len(dims) - 2 and not any(t == "n" for factors in dims for t, _ in factors):
        dims = (tuple(("n", size) for _, size in dims[0]), *dims[1:])
    return replace(where, dims=dims, **{tag: getattr(where, tag).repeated(n)})


def refuse() -> Provenance:
    raise ValueError("a window over a dimension that is another axis")


def _channels(where: Provenance, out: Tensor) -> Provenance:
    return replace(where, dims=(where.dims[0], (("", out.shape[1]),), *where.dims[2:]))


def _convolution(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    weight, (stride, padding, dilation, transposed) = args[1], args[3:7]
    if weight.dim() == 3 and not any(where.placed(d) for d in range(1, len(where.dims))):
        return replace(where, dims=(where.dims[0], *((("", n),) for n in out.shape[1:])))  # over channels, as ECA does
    if weight.dim() != 4:
        refuse()
    return _channels(_windowed(where, out, tuple(weight.shape[2:]), stride, padding, dilation, transposed), out)


def _max_pool(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return _windowed(where, out, args[1], argument(args, 2, ()), argument(args, 3, 0), argument(args, 4, 1))


def _avg_pool(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return _windowed(where, out, args[1], argument(args, 2, ()), argument(args, 3, 0), 1)


def _adaptive(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    for side, tag in enumerate(AXES):
        m = out.shape[out.dim() - 2 + side]
        n = factors_size(where.dims[out.dim() - 2 + side])
        cells = np.arange(m, dtype=np.int64)
        moved = getattr(where, tag).windows(cells * n // m, -((-(cells + 1) * n) // m) - 1, n / m)
        where = where.moved(tag, moved, m)
    return where


def _upsample(reach: tuple[int, int]) -> Callable[[Provenance, Any, Tensor, int], Provenance]:
    """Interpolation that reads the source cells floor(s) + reach[0] .. floor(s) + reach[1]."""

    def rule(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
        corners = any(a is True for a in args)
        for side, tag in enumerate(AXES):
            m = out.shape[2 + side]
            n = factors_size(where.dims[2 + side])
            cells = np.arange(m)
            scale = (n - 1) / max(m - 1, 1) if corners else n / m
            place = cells * scale if corners or reach == (0, 0) else (cells + 0.5) * scale - 0.5
            low = np.floor(place).astype(np.int64)
            widen = int(np.ceil(max(scale, 1))) - 1  # an antialiased reduction reads a wider window
            moved = getattr(where, tag).windows(
                np.clip(low + reach[0] - widen, 0, n - 1), np.clip(low + reach[1] + widen, 0, n - 1), scale
            )
            where = where.moved(tag, moved, m)
        return where

    return rule


def _pad(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    pads = args[1]
    for place in range(len(pads) // 2):
        dim = out.dim() - 1 - place
        tag = where.axis(dim)
        if tag is None:
            where = replace(where, dims=(*where.dims[:dim], (("", out.shape[dim]),), *where.dims[dim + 1 :]))
            continue
        cells = np.arange(out.shape[dim], dtype=np.int64) - pads[2 * place]
        where = where.moved(tag, getattr(where, tag).windows(cells, cells, 1.0), len(cells))
    return where


def _mirror(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    """Reflection and replication: placed as if the grid went on, but the pixels come from inside."""
    padded = _pad(where, args, out, i)
    for tag in AXES:
        axis, source = getattr(padded, tag), getattr(where, tag)
        reach = axis.place.shape[1] - source.place.shape[1]
        if reach:
            first, last = source.full[0].min(), source.full[1].max()
            full = np.stack([np.minimum(axis.full[0], last), np.maximum(axis.full[1], first)])
            outside = (axis.full[1] < first) | (axis.full[0] > last)
            full[0, outside], full[1, outside] = first, last
            full[0] -= reach * axis.jump  # a mirrored pixel lies up to the padding's width inside
            full[1] += reach * axis.jump
            padded = replace(padded, **{tag: replace(axis, full=full)})
    return padded


def _slice(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    dim, step = argument(args, 1, 0) % out.dim(), argument(args, 4, 1)
    n = factors_size(where.dims[dim])
    start = slice(argument(args, 2, 0), argument(args, 3, None), step).indices(n)[0]
    return _taken(where, dim, start + step * np.arange(out.shape[dim], dtype=np.int64), float(step), out)


def _taken(where: Provenance, dim: int, cells: Ints, stride: float, out: Tensor) -> Provenance:
    tag = where.axis(dim)
    if tag is None and where.tokens == dim and len(cells) != factors_size(where.dims[dim]):
        return _tokens_taken(where, dim, cells)
    if tag is None:
        if any(t for t, _ in where.dims[dim]) and len(cells) != factors_size(where.dims[dim]):
            refuse()
        if len(cells) == factors_size(where.dims[dim]):
            return where
        return replace(where, dims=(*where.dims[:dim], (("", len(cells)),), *where.dims[dim + 1 :]))
    return where.moved(tag, getattr(where, tag).windows(cells, cells, stride), len(cells))


def _tokens_taken(where: Provenance, dim: int, cells: Ints) -> Provenance:
    """Some tokens of a row of them: those that are no places, or all places with fewer or none of the others."""
    rows, columns = where.y.place.shape[1], where.x.place.shape[1]
    if int(cells.max(initial=-1)) < where.skip:
        return _no_places(where, dim, len(cells))
    dims: Factors = (("y", rows), ("x", columns)) if len(cells) == rows * columns else (("t", len(cells)),)
    skip = len(cells) - rows * columns
    if skip < 0 or list(cells[skip:]) != list(range(where.skip, where.skip + rows * columns)):
        refuse()
    return replace(where, dims=(*where.dims[:dim], dims, *where.dims[dim + 1 :]), skip=skip)


def _no_places(where: Provenance, dim: int, n: int) -> Provenance:
    """Tokens that are no places: what is seen by them is the image as a whole."""
    where = where.without("y").without("x")
    return replace(where, dims=(*where.dims[:dim], (("", n),), *where.dims[dim + 1 :]), skip=0)


def _unbind(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return _select(where, (None, argument(args, 1, 0), i), out, i)


def _split(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    dim = argument(args, 2, 0) % out.dim()
    sizes = args[1]
    start = i * sizes if isinstance(sizes, int) else sum(sizes[:i])
    return _taken(where, dim, start + np.arange(out.shape[dim], dtype=np.int64), 1.0, out)


def _select(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    dim = args[1] % len(where.dims)
    return _dropped(_taken(where, dim, np.array([args[2] % factors_size(where.dims[dim])]), 1.0, out), {dim})


def _dropped(where: Provenance, dims: set[int]) -> Provenance:
    return replace(where, dims=tuple(f for j, f in enumerate(where.dims) if j not in dims))


def _flip(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    for dim in args[1]:
        n = out.shape[dim]
        where = _taken(where, dim % out.dim(), np.arange(n - 1, -1, -1, dtype=np.int64), -1.0, out)
    return where


def _reduced(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    dims = argument(args, 1, list(range(len(where.dims))))
    dims = {d % len(where.dims) for d in ([dims] if isinstance(dims, int) else dims)} or set(range(len(where.dims)))
    for tag in AXES:
        if any(where.has(d, tag) for d in dims):
            where = where.without(tag)
    if out.dim() == len(where.dims):
        return replace(where, dims=tuple((("", 1),) if j in dims else f for j, f in enumerate(where.dims)))
    return _dropped(where, dims)


def _normed(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return _reduced(where, (None, *args[2:]), out, i)  # the order of the norm comes first


def _permuted(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return replace(where, dims=tuple(where.dims[d] for d in args[1]))


def _transposed(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    order = list(range(out.dim()))
    a, b = (args[1], args[2]) if len(args) > 2 else (0, 1)
    order[a], order[b] = order[b], order[a]
    return _permuted(where, (None, order), out, i)


def _reshaped(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    """Give each new dimension the factors that it is made of, splitting ordinary ones where needed."""
    factors: list[tuple[Tag, int]] = [f for dim in where.dims for f in dim if f[0] or f[1] > 1]
    dims: list[Factors] = []
    for size in out.shape:
        taken: list[tuple[Tag, int]] = []
        have = 1
        while have < size:
            tag, n = factors.pop(0)
            need = size // have
            if n > need and n % need == 0:
                if tag in AXES:
                    where = _cut(where, tag, need, n // need)
                elif tag:
                    refuse()
                factors.insert(0, ("", n // need))
                n = need
            taken.append((tag, n))
            have *= n
        if size == 1 and factors and factors[0][1] == 1:
            taken.append(factors.pop(0))
        dims.append(tuple(taken) or (("", 1),))
    return replace(where, dims=tuple(dims))


def _cut(where: Provenance, tag: Tag, windows: int, each: int) -> Provenance:
    """An axis cut into windows of equal length: which one is the axis from here on, the place inside is any other."""
    first = each * np.arange(windows, dtype=np.int64)
    return replace(where, **{tag: getattr(where, tag).windows(first, first + each - 1, float(each))})


def expanded(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    new = out.dim() - len(where.dims)
    dims: list[Factors] = [(("", n),) for n in out.shape[:new]]
    for size, factors in zip(out.shape[new:], where.dims, strict=True):
        dims.append(factors if factors_size(factors) == size else (("", size),))
    return replace(where, dims=tuple(dims))


def _whole(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    return replace(where, y=where.y.everywhere(), x=where.x.everywhere()) if i == 0 else statistics(where, out)


def statistics(where: Provenance, out: Tensor) -> Provenance:
    return Provenance(tuple((("", n),) for n in out.shape), where.y.pooled(), where.x.pooled())


def _batch_norm(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    if i:
        return statistics(where, out)
    by_batch = any(a is True for a in args[3:8])  # statistics of this very input: instance norm, or no running ones
    return _whole(where, args, out, 0) if by_batch else where


def _layer_norm(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    if i:
        return statistics(where, out)
    normed = range(out.dim() - len(args[1]), out.dim())
    for tag in AXES:
        if any(where.has(d, tag) for d in normed):
            where = replace(where, **{tag: getattr(where, tag).everywhere()})
    return where


def _softmax(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    for tag in AXES:
        if where.has(args[1] % out.dim(), tag):
            where = replace(where, **{tag: getattr(where, tag).everywhere()})
    return where


def _pixel_shuffle(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    for side, tag in enumerate(AXES):
        cells = np.arange(out.shape[2 + side], dtype=np.int64)
        where = where.moved(
            tag, getattr(where, tag).windows(cells // args[1], cells // args[1], 1 / args[1]), len(cells)
        )
    return _channels(where, out)


def _strided(where: Provenance, args: Any, out: Tensor, i: int) -> Provenance:
    """The form that some reshapes take below autograd; any other use is lost."""
    return _reshaped(where, args, out, i) if out.is_contiguous() and args[0].is_contiguous() else refuse()


# cell by cell, though not all of them carry torch's tag for it
_ALIKE = """
    _to_copy clone contiguous detach alias lift_fresh dropout native_dropout copy hardswish hardsigmoid hardtanh
    leaky_relu _prelu_kernel rrelu_with_noise threshold elu celu softplus bernoulli
"""
ALIKE = frozenset(_ALIKE.split())
RULES: dict[str, Callable[[Provenance, Any, Tensor, int], Provenance]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "_adaptive_avg_pool2d": _adaptive,
    "adaptive_max_pool2d": _adaptive,
    "upsample_nearest2d": _upsample((0, 0)),
    "_upsample_nearest_exact2d": _upsample((0, 1)),
    "upsample_bilinear2d": _upsample((0, 1)),
    "upsample_bicubic2d": _upsample((-1, 2)),
    "_upsample_bilinear2d_aa": _upsample((0, 1)),
    "_upsample_bicubic2d_aa": _upsample((-1, 2)),
    "constant_pad_nd": _pad,
    "reflection_pad2d": _mirror,
    "replication_pad2d": _mirror,
    "slice": _slice,
    "split": _split,
    "unbind": _unbind,
    "split_with_sizes": _split,
    "select": _select,
    "flip": _flip,
    **dict.fromkeys(["mean", "sum", "amax", "amin", "max", "min", "var", "std", "logsumexp"], _reduced),
    **dict.fromkeys(
        ["norm", "linalg_vector_norm"], lambda where, args, out, i: _reduced(where, (None, *args[2:]), out, i)
    ),
    "permute": _permuted,
    "transpose": _transposed,
    "t": _transposed,
    **dict.fromkeys(["view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "_reshape_alias"], _reshaped),
    "as_strided": _strided,
    "expand": expanded,
    **dict.fromkeys(
        [
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "cudnn_batch_norm",
        ],
        _batch_norm,
    ),
    "native_group_norm": _whole,
    "_transformer_encoder_layer_fwd": _whole,  # attention and what it is added to
    "native_layer_norm": _layer_norm,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    "pixel_shuffle": _pixel_shuffle,
}
