"""Receptive fields by tracing: every operation tells which cells of its input each cell of its output sees.

For each tensor and each picture axis we keep, per cell, the first and last pixel that can reach it. Windows
that hang over the border continue the grid there, so that the field of a border cell is the theoretical one.
Two intervals are kept: `near`, which ignores what comes from everywhere alike (squeeze-and-excitation gates,
normalisation over the picture) and places the cell, and `full`, which has everything and is the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

Ints = NDArray[np.int64]
Spans = NDArray[np.float64]
"""(2, n): first and last pixel for each of n cells."""
Tag = Literal["y", "x", ""]
Factors = tuple[tuple[Tag, int], ...]
"""What one dimension of a tensor is made of: several factors after a reshape has merged dimensions."""


@dataclass(frozen=True)
class Axis:
    """One axis of the picture, as the cells of a tensor see it."""

    near: Spans
    full: Spans
    jump: float

    @classmethod
    def pixels(cls, n: int) -> Axis:
        spans = np.stack([np.arange(n, dtype=np.float64)] * 2)
        return cls(spans, spans, 1.0)

    @property
    def centres(self) -> NDArray[np.float64]:
        return self.near.mean(axis=0)

    def windows(self, first: Ints, last: Ints, stride: float) -> Axis:
        """New cells that see the old cells first..last each, which may lie outside."""
        near = np.stack([self._at(self.near[0], first), self._at(self.near[1], last)])
        full = np.stack([self._at(self.full[0], first), self._at(self.full[1], last)])
        return Axis(near, full, self.jump * stride)

    def _at(self, edge: NDArray[np.float64], index: Ints) -> NDArray[np.float64]:
        inside = np.clip(index, 0, len(edge) - 1)
        return edge[inside] + self.jump * (index - inside)

    def pooled(self) -> Axis:
        """One cell that sees everything."""
        low, high = (f(self.near) for f in (np.min, np.max))
        both = np.array([[low], [high]])
        return Axis(both, np.array([[self.full.min()], [self.full.max()]]), float(high - low + 1))

    def everywhere(self) -> Axis:
        """The same places, but each cell also depends on all others."""
        full = np.stack([np.full(self.full.shape[1], f(self.full)) for f in (np.min, np.max)])
        return replace(self, full=full)

    def joined(self, other: Axis) -> Axis:
        """Cells that see what either sees; a single cell against many is a gate and moves no place."""
        if self.near.shape[1] < other.near.shape[1]:
            return other.joined(self)
        full = np.stack([np.minimum(self.full[0], other.full[0]), np.maximum(self.full[1], other.full[1])])
        if other.near.shape[1] < self.near.shape[1]:
            return replace(self, full=full)
        near = np.stack([np.minimum(self.near[0], other.near[0]), np.maximum(self.near[1], other.near[1])])
        return Axis(near, full, self.jump)


@dataclass(frozen=True)
class Where:
    """A tensor's place in the picture: what its dimensions are made of, and both axes."""

    dims: tuple[Factors, ...]
    y: Axis
    x: Axis

    def dim(self, tag: Tag) -> int | None:
        """The dimension that is exactly this axis, if there is one."""
        for i, factors in enumerate(self.dims):
            if [t for t, n in factors if t or n > 1] == [tag]:
                return i
        return None

    def axis(self, dim: int) -> Literal["y", "x"] | None:
        """The axis that this dimension is, if any."""
        return next((tag for tag in ("y", "x") if self.dim(tag) == dim), None)  # type: ignore[return-value]

    def has(self, dim: int, tag: Tag) -> bool:
        """Whether the axis is part of this dimension."""
        return any(t == tag for t, _ in self.dims[dim])

    def moved(self, tag: Tag, axis: Axis, n: int) -> Where:
        """The axis with other cells."""
        dims = tuple(tuple((t, n if t == tag else size) for t, size in factors) for factors in self.dims)
        return replace(self, dims=dims, **{tag: axis})

    def without(self, tag: Tag) -> Where:
        """The axis seen as a whole by every element; its dimension becomes an ordinary one."""
        dims = tuple(tuple(("" if t == tag else t, size) for t, size in factors) for factors in self.dims)
        return replace(self, dims=dims, **{tag: getattr(self, tag).pooled()})


def of_input(pixels: Tensor) -> Where:
    """The picture itself: (N, C, H, W)."""
    n, c, h, w = pixels.shape
    return Where(((("", n),), (("", c),), (("y", h),), (("x", w),)), Axis.pixels(h), Axis.pixels(w))


class Tracker:
    """Follows places through the operations of one forward pass."""

    def __init__(self, pixels: Tensor) -> None:
        self.places: Any = WeakTensorKeyDictionary()
        self.places[pixels] = of_input(pixels)
        self.unknown: dict[str, int] = {}

    def __call__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        sources = [self.places[t] for t in _flat(args) if isinstance(t, Tensor) and t in self.places]
        if not sources:
            return
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        outputs = [t for t in _flat(output) if isinstance(t, Tensor)]
        for i, out in enumerate(outputs):
            self.places[out] = self._place(operation, name, args, out, i, sources)

    def _place(self, operation: Any, name: str, args: Any, out: Tensor, i: int, sources: list[Where]) -> Where:
        where = self.places.get(args[0]) if args and isinstance(args[0], Tensor) else sources[0]
        try:
            if name in _RULES and where is not None:
                placed: Where = _RULES[name](where, args, out, i)
            elif name in ("cat", "stack"):
                placed = _concatenated([self.places[t] for t in args[0] if t in self.places], args, out, name)
            elif name in ("bmm", "mm", "addmm", "baddbmm"):
                placed = self._product(name, args, out)
            elif torch.Tag.pointwise in operation.tags or name in _ALIKE:
                placed = _pointwise(sources, out)
            else:
                placed = self._lost(name, sources, out)
            if tuple(_product_of(f) for f in placed.dims) != tuple(out.shape):
                placed = self._lost(name, sources, out)
        except (ValueError, IndexError, TypeError, KeyError):  # an overload we do not know: say so, guess nothing
            placed = self._lost(name, sources, out)
        return placed

    def _product(self, name: str, args: Any, out: Tensor) -> Where:
        left, right = args[-2:] if name in ("bmm", "mm") else args[1:3]
        a, b = self.places.get(left), self.places.get(right)
        first = a or b
        if first is None:
            first = self.places[args[0]]
        dims = [(("", n),) for n in out.shape]
        if a is not None:
            dims[:-1] = a.dims[:-1]
        for tag in ("y", "x"):
            contracted = a is not None and a.has(-1, tag)
            if contracted or b is not None:  # attention and Gram products mix all places
                axis: Axis = getattr(first, tag)
                here = any(t == tag for factors in dims for t, _ in factors)
                first = replace(first, **{tag: axis.everywhere() if here else axis.pooled()})
        return replace(first, dims=tuple(dims))

    def _lost(self, name: str, sources: list[Where], out: Tensor) -> Where:
        self.unknown[name] = self.unknown.get(name, 0) + 1
        y, x = sources[0].y, sources[0].x
        for other in sources[1:]:
            y, x = y.pooled().joined(other.y.pooled()), x.pooled().joined(other.x.pooled())
        return Where(tuple((("", n),) for n in out.shape), y.pooled(), x.pooled())


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]


def _product_of(factors: Factors) -> int:
    size = 1
    for _, n in factors:
        size *= n
    return size


def _pair(value: Any, default: tuple[int, int] = (1, 1)) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    return (value[0], value[-1]) if value else default


def _argument(args: Any, i: int, default: Any) -> Any:
    return args[i] if len(args) > i and args[i] is not None else default


def _windowed(
    where: Where, out: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, transposed: bool = False
) -> Where:
    """Convolution and pooling over the last two dimensions."""
    k, s, p, d = _pair(kernel), _pair(stride, _pair(kernel)), _pair(padding, (0, 0)), _pair(dilation)
    for side, tag in enumerate(("y", "x")):
        dim = out.dim() - 2 + side
        if where.dim(tag) != dim:
            where = where.without(tag) if where.dim(tag) is None else _refuse()
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


def _refuse() -> Where:
    raise ValueError("a window over a dimension that is another axis")


def _channels(where: Where, out: Tensor) -> Where:
    return replace(where, dims=(where.dims[0], (("", out.shape[1]),), *where.dims[2:]))


def _convolution(where: Where, args: Any, out: Tensor, i: int) -> Where:
    weight, stride, padding, dilation, transposed = args[1], *args[3:7]
    if weight.dim() != 4:
        _refuse()
    return _channels(_windowed(where, out, tuple(weight.shape[2:]), stride, padding, dilation, transposed), out)


def _max_pool(where: Where, args: Any, out: Tensor, i: int) -> Where:
    return _windowed(where, out, args[1], _argument(args, 2, ()), _argument(args, 3, 0), _argument(args, 4, 1))


def _avg_pool(where: Where, args: Any, out: Tensor, i: int) -> Where:
    return _windowed(where, out, args[1], _argument(args, 2, ()), _argument(args, 3, 0), 1)


def _adaptive(where: Where, args: Any, out: Tensor, i: int) -> Where:
    for side, tag in enumerate(("y", "x")):
        m = out.shape[out.dim() - 2 + side]
        n = _product_of(where.dims[out.dim() - 2 + side])
        cells = np.arange(m, dtype=np.int64)
        moved = getattr(where, tag).windows(cells * n // m, -((-(cells + 1) * n) // m) - 1, n / m)
        where = where.moved(tag, moved, m)
    return where


def _upsample(reach: tuple[int, int]) -> Callable[[Where, Any, Tensor, int], Where]:
    """Interpolation that reads the source cells floor(s) + reach[0] .. floor(s) + reach[1]."""

    def rule(where: Where, args: Any, out: Tensor, i: int) -> Where:
        corners = any(a is True for a in args)
        for side, tag in enumerate(("y", "x")):
            m = out.shape[2 + side]
            n = _product_of(where.dims[2 + side])
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


def _pad(where: Where, args: Any, out: Tensor, i: int) -> Where:
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


def _mirror(where: Where, args: Any, out: Tensor, i: int) -> Where:
    """Reflection and replication: placed as if the grid went on, but the pixels come from inside."""
    padded = _pad(where, args, out, i)
    for tag in ("y", "x"):
        axis, source = getattr(padded, tag), getattr(where, tag)
        if axis.near.shape[1] != source.near.shape[1]:
            full = np.stack([np.minimum(axis.full[0], source.full[1].max()), np.maximum(axis.full[1], source.full[0].min())])
            reach = axis.near.shape[1] - source.near.shape[1]
            outside = (axis.full[1] < source.full[0].min()) | (axis.full[0] > source.full[1].max())
            full[0, outside], full[1, outside] = source.full[0].min(), source.full[1].max()
            full[0] -= reach * axis.jump  # a mirrored pixel lies up to the padding's width inside
            full[1] += reach * axis.jump
            padded = replace(padded, **{tag: replace(axis, full=full)})
    return padded


def _slice(where: Where, args: Any, out: Tensor, i: int) -> Where:
    dim, step = _argument(args, 1, 0) % out.dim(), _argument(args, 4, 1)
    n = _product_of(where.dims[dim])
    start = slice(_argument(args, 2, 0), _argument(args, 3, None), step).indices(n)[0]
    return _taken(where, dim, start + step * np.arange(out.shape[dim], dtype=np.int64), float(step), out)


def _taken(where: Where, dim: int, cells: Ints, stride: float, out: Tensor) -> Where:
    tag = where.axis(dim)
    if tag is None:
        if any(t for t, _ in where.dims[dim]) and len(cells) != _product_of(where.dims[dim]):
            _refuse()
        if len(cells) == _product_of(where.dims[dim]):
            return where
        return replace(where, dims=(*where.dims[:dim], (("", len(cells)),), *where.dims[dim + 1 :]))
    return where.moved(tag, getattr(where, tag).windows(cells, cells, stride), len(cells))


def _split(where: Where, args: Any, out: Tensor, i: int) -> Where:
    dim = _argument(args, 2, 0) % out.dim()
    sizes = args[1]
    start = i * sizes if isinstance(sizes, int) else sum(sizes[:i])
    return _taken(where, dim, start + np.arange(out.shape[dim], dtype=np.int64), 1.0, out)


def _select(where: Where, args: Any, out: Tensor, i: int) -> Where:
    dim = args[1] % len(where.dims)
    return _dropped(_taken(where, dim, np.array([args[2] % _product_of(where.dims[dim])]), 1.0, out), {dim})


def _dropped(where: Where, dims: set[int]) -> Where:
    return replace(where, dims=tuple(f for j, f in enumerate(where.dims) if j not in dims))


def _flip(where: Where, args: Any, out: Tensor, i: int) -> Where:
    for dim in args[1]:
        n = out.shape[dim]
        where = _taken(where, dim % out.dim(), np.arange(n - 1, -1, -1, dtype=np.int64), -1.0, out)
    return where


def _reduced(where: Where, args: Any, out: Tensor, i: int) -> Where:
    dims = _argument(args, 1, list(range(len(where.dims))))
    dims = {d % len(where.dims) for d in ([dims] if isinstance(dims, int) else dims)} or set(range(len(where.dims)))
    for tag in ("y", "x"):
        if any(where.has(d, tag) for d in dims):
            where = where.without(tag)
    if out.dim() == len(where.dims):
        return replace(where, dims=tuple((("", 1),) if j in dims else f for j, f in enumerate(where.dims)))
    return _dropped(where, dims)


def _permuted(where: Where, args: Any, out: Tensor, i: int) -> Where:
    return replace(where, dims=tuple(where.dims[d] for d in args[1]))


def _transposed(where: Where, args: Any, out: Tensor, i: int) -> Where:
    order = list(range(out.dim()))
    a, b = (args[1], args[2]) if len(args) > 2 else (0, 1)
    order[a], order[b] = order[b], order[a]
    return _permuted(where, (None, order), out, i)


def _reshaped(where: Where, args: Any, out: Tensor, i: int) -> Where:
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
                if tag:
                    _refuse()  # an axis cut into windows
                factors.insert(0, (tag, n // need))
                n = need
            taken.append((tag, n))
            have *= n
        if size == 1 and factors and factors[0][1] == 1:
            taken.append(factors.pop(0))
        dims.append(tuple(taken) or (("", 1),))
    return replace(where, dims=tuple(dims))


def _expanded(where: Where, args: Any, out: Tensor, i: int) -> Where:
    new = out.dim() - len(where.dims)
    dims = [(("", n),) for n in out.shape[:new]]
    for size, factors in zip(out.shape[new:], where.dims, strict=True):
        dims.append(factors if _product_of(factors) == size else (("", size),))  # noqa: PERF401
    return replace(where, dims=tuple(dims))


def _whole(where: Where, args: Any, out: Tensor, i: int) -> Where:
    return replace(where, y=where.y.everywhere(), x=where.x.everywhere()) if i == 0 else _statistics(where, out)


def _statistics(where: Where, out: Tensor) -> Where:
    return Where(tuple((("", n),) for n in out.shape), where.y.pooled(), where.x.pooled())


def _batch_norm(where: Where, args: Any, out: Tensor, i: int) -> Where:
    if i:
        return _statistics(where, out)
    by_batch = any(a is True for a in args[3:8])  # statistics of this very input: instance norm, or no running ones
    return _whole(where, args, out, 0) if by_batch else where


def _layer_norm(where: Where, args: Any, out: Tensor, i: int) -> Where:
    if i:
        return _statistics(where, out)
    normed = range(out.dim() - len(args[1]), out.dim())
    for tag in ("y", "x"):
        if any(where.has(d, tag) for d in normed):
            where = replace(where, **{tag: getattr(where, tag).everywhere()})
    return where


def _softmax(where: Where, args: Any, out: Tensor, i: int) -> Where:
    tag = where.axis(args[1] % out.dim())
    return replace(where, **{tag: getattr(where, tag).everywhere()}) if tag else where


def _pixel_shuffle(where: Where, args: Any, out: Tensor, i: int) -> Where:
    for side, tag in enumerate(("y", "x")):
        cells = np.arange(out.shape[2 + side], dtype=np.int64)
        where = where.moved(tag, getattr(where, tag).windows(cells // args[1], cells // args[1], 1 / args[1]), len(cells))
    return _channels(where, out)


def _pointwise(sources: list[Where], out: Tensor) -> Where:
    placed, *others = (_expanded(source, (), out, 0) for source in sources)
    for source in others:
        dims = tuple(a if any(t for t, _ in a) else b for a, b in zip(placed.dims, source.dims, strict=True))
        placed = Where(dims, placed.y.joined(source.y), placed.x.joined(source.x))
    return placed


def _concatenated(sources: list[Where], args: Any, out: Tensor, name: str) -> Where:
    dim = _argument(args, 1, 0) % out.dim()
    if name == "stack":
        sources = [replace(s, dims=(*s.dims[:dim], (("", 1),), *s.dims[dim:])) for s in sources]
    if sources[0].axis(dim) is not None:
        _refuse()  # pictures side by side: no affine place
    y, x = sources[0].y, sources[0].x
    for source in sources[1:]:
        y, x = y.joined(source.y), x.joined(source.x)
    dims = (*sources[0].dims[:dim], (("", out.shape[dim]),), *sources[0].dims[dim + 1 :])
    return Where(dims, y, x)


def _strided(where: Where, args: Any, out: Tensor, i: int) -> Where:
    """The form that some reshapes take below autograd; any other use is lost."""
    return _reshaped(where, args, out, i) if out.is_contiguous() and args[0].is_contiguous() else _refuse()


_ALIKE = set(
    # cell by cell, though not all of them carry torch's tag for it
    "_to_copy clone contiguous detach alias lift_fresh dropout native_dropout copy hardswish hardsigmoid hardtanh "
    "leaky_relu _prelu_kernel rrelu_with_noise threshold elu celu softplus bernoulli".split()
)
_RULES: dict[str, Callable[[Where, Any, Tensor, int], Where]] = {
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
    "split_with_sizes": _split,
    "select": _select,
    "flip": _flip,
    **dict.fromkeys(["mean", "sum", "amax", "amin", "max", "min", "var", "std", "logsumexp"], _reduced),
    **dict.fromkeys(["norm", "linalg_vector_norm"], lambda where, args, out, i: _reduced(where, (None, *args[2:]), out, i)),
    "permute": _permuted,
    "transpose": _transposed,
    "t": _transposed,
    **dict.fromkeys(["view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "_reshape_alias"], _reshaped),
    "as_strided": _strided,
    "expand": _expanded,
    **dict.fromkeys(
        ["native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"],
        _batch_norm,
    ),
    "native_group_norm": _whole,
    "native_layer_norm": _layer_norm,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    "pixel_shuffle": _pixel_shuffle,
}
