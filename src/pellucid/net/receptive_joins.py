"""What operations that bring several tensors together do to places: sums, concatenation, tokens, attention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from pellucid.net.receptive import AXES, Factors, Provenance, factors_size
from pellucid.net.receptive_rules import argument, expanded, refuse, statistics

_ATTENTION = """
    _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention scaled_dot_product_attention
    _scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention
    _scaled_dot_product_fused_attention_overrideable _native_multi_head_attention
"""
ATTENTION = frozenset(_ATTENTION.split())


def _known_first(sources: list[Provenance]) -> list[Provenance]:
    """Terms that could not be followed reach every cell of those that could, and move none."""
    known = [source for source in sources if not source.lost]
    lost = [replace(s, y=s.y.pooled(), x=s.x.pooled(), lost=False) for s in sources if s.lost]
    return known + lost if known and lost else sources


def pointwise(sources: list[Provenance], out: Tensor) -> Provenance:
    placed, *others = (expanded(source, (), out, 0) for source in _known_first(sources))
    for source in others:
        dims = tuple(_better(a, b) for a, b in zip(placed.dims, source.dims, strict=True))
        skip = max(placed.skip, source.skip)
        placed = replace(placed, dims=dims, y=placed.y.joined(source.y), x=placed.x.joined(source.x), skip=skip)
    return placed


def _better(a: Factors, b: Factors) -> Factors:
    """The one that says more: an axis as it is, then one in parts."""
    for one in (a, b):
        if [t in ("n", "t", *AXES) for t, n in one if t or n > 1] == [True]:
            return one
    return a if any(t for t, _ in a) else b


def concatenated(parts: list[tuple[Tensor, Provenance | None]], args: Any, out: Tensor, name: str) -> Provenance:
    dim = argument(args, 1, 0) % out.dim()
    sources = [where for _, where in parts if where is not None]
    if name == "stack":
        sources = [replace(s, dims=(*s.dims[:dim], (("", 1),), *s.dims[dim:])) for s in sources]
    if sources[0].axis(dim) is not None:
        refuse()  # images side by side: no affine place
    if any(source.tokens == dim for source in sources):
        return _more_tokens(parts, dim, out)
    first, *others = _known_first(sources)
    y, x = first.y, first.x
    for source in others:
        y, x = y.joined(source.y), x.joined(source.x)
    return replace(first, dims=(*first.dims[:dim], (("", out.shape[dim]),), *first.dims[dim + 1 :]), y=y, x=x)


def _more_tokens(parts: list[tuple[Tensor, Provenance | None]], dim: int, out: Tensor) -> Provenance:
    """Tokens that are no places in front of those that are: a class token, registers."""
    *ahead, (_, places) = parts
    if places is None or places.tokens != dim or any(w is not None and w.placed(dim) for _, w in ahead):
        refuse()
        return out  # type: ignore[return-value]
    skip = places.skip + sum(t.shape[dim] for t, _ in ahead)
    y, x = places.y, places.x
    for _, where in ahead:
        if where is not None:
            y, x = y.joined(where.y.pooled()), x.joined(where.x.pooled())
    dims = (*places.dims[:dim], (("t", out.shape[dim]),), *places.dims[dim + 1 :])
    return replace(places, dims=dims, y=y, x=x, skip=skip)


def attended(where: Provenance, sources: list[Provenance], out: Tensor, i: int) -> Provenance:
    """Attention of queries to keys and values: the queries' places, each of which sees all."""
    if i or factors_size(where.dims[-2]) != out.shape[-2]:
        return statistics(where, out)
    y, x = where.y, where.x
    for other in sources[1:]:
        y, x = y.joined(other.y.pooled()), x.joined(other.x.pooled())
    dims = (*where.dims[:-1], (("", out.shape[-1]),))
    return replace(where, dims=dims, y=y.everywhere(), x=x.everywhere(), mixed=True)
