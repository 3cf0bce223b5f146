"""Layer-wise relevance propagation: the score handed back in shares, from every operation to its inputs.

What flows back is m = R / x, relevance per unit of activation (the relevance of a tensor is m · x). Sums, forks,
reshapes, concatenation, averaging and the winner of a pool then need no rule of their own: their ordinary gradients
split relevance in proportion to what each input contributed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, final

import torch
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net.rules.elementwise import bilinear, derivative, downcast_clamped, min_divisor, stabilized, upcast, vjp
from pellucid.net.rules.engine import Call, Rule, custom_backward
from pellucid.net.rules.operations import Kind

LrpRule = Callable[[Call, Tensor, Tensor], Tensor]
"""share(call, x, relevance of the output) -> m of the input, for an operation with weights.

Made once for its numbers, so that rules of equal shares are equal, and several questions share a forward pass.
"""


@cache
def epsilon(eps: float = 1e-6) -> LrpRule:
    """R_j = Σ_k x_j w_jk R_k / (z_k + ε sign z_k), the bias keeping its share (Bach et al. 2015, equation 58)."""

    def share(call: Call, x: Tensor, r: Tensor) -> Tensor:
        return _pull(call, x, call.weight, r / stabilized(_apply(call, x, call.weight, call.bias), eps))

    return share


@cache
def gamma(strength: float = 0.25, eps: float = 1e-6) -> LrpRule:
    """As if positive weights were larger: w + γ w⁺ (Montavon et al. 2019, section 10.2.3).

    For inputs and outputs of any sign: where the output is negative, the roles of the signs are exchanged.
    """

    def share(call: Call, x: Tensor, r: Tensor) -> Tensor:
        w, b = _parameters(call)
        y = _apply(call, x, w, b)
        up, down = w + strength * w.clamp(min=0), w + strength * w.clamp(max=0)
        high, low = (None, None) if b is None else (b + strength * b.clamp(min=0), b + strength * b.clamp(max=0))
        positive, negative = x.clamp(min=0), x.clamp(max=0)
        for_up = _apply(call, positive, up, high) + _apply(call, negative, down, None)
        for_down = _apply(call, positive, down, low) + _apply(call, negative, up, None)
        s_up, s_down = r * (y > 0) / stabilized(for_up, eps), r * (y < 0) / stabilized(for_down, eps)
        at_positive = _pull(call, x, up, s_up) + _pull(call, x, down, s_down)
        at_negative = _pull(call, x, down, s_up) + _pull(call, x, up, s_down)
        return torch.where(x >= 0, at_positive, at_negative)

    return share


@cache
def alpha_beta(alpha: float = 2.0, beta: float = 1.0, eps: float = 1e-6) -> LrpRule:
    """α for what speaks for the output, β for what speaks against it, α − β = 1 (Bach et al. 2015, equation 60).

    α = 1, β = 0 is z⁺. Positive contributions are x⁺w⁺ and x⁻w⁻: inputs of any sign.
    """

    def share(call: Call, x: Tensor, r: Tensor) -> Tensor:
        w, b = _parameters(call)
        up, down = w.clamp(min=0), w.clamp(max=0)
        high, low = (None, None) if b is None else (b.clamp(min=0), b.clamp(max=0))
        positive, negative = x.clamp(min=0), x.clamp(max=0)
        s_for = alpha * r / stabilized(_apply(call, positive, up, high) + _apply(call, negative, down, None), eps)
        at_positive, at_negative = _pull(call, x, up, s_for), _pull(call, x, down, s_for)
        if beta:
            against = _apply(call, positive, down, low) + _apply(call, negative, up, None)
            s_against = -beta * r / stabilized(against, eps)
            at_positive = at_positive + _pull(call, x, down, s_against)
            at_negative = at_negative + _pull(call, x, up, s_against)
        return torch.where(x >= 0, at_positive, at_negative)

    return share


@cache
def flat(eps: float = 1e-6) -> LrpRule:
    """Every input of an output gets the same (Lapuschkin et al. 2019, methods): for the first operation."""
    return _regardless(torch.ones_like, eps)


@cache
def w_square(eps: float = 1e-6) -> LrpRule:
    """In proportion to the squared weight (Montavon et al. 2017, equation 12): for the first operation."""
    return _regardless(torch.square, eps)


def _regardless(of: Callable[[Tensor], Tensor], eps: float) -> LrpRule:
    def share(call: Call, x: Tensor, r: Tensor) -> Tensor:
        ones, weights = torch.ones_like(x), of(_parameters(call)[0])
        whole = stabilized(_apply(call, ones, weights, None), eps)
        return _pull(call, x, weights, r / whole) / stabilized(x, min_divisor(call.inputs[0].dtype))

    return share


@cache
def z_box(low: tuple[float, ...], high: tuple[float, ...], eps: float = 1e-6) -> LrpRule:
    """For inputs between `low` and `high` of each channel (Montavon et al. 2017, equation 13): the first operation."""

    def share(call: Call, x: Tensor, r: Tensor) -> Tensor:
        w, b = _parameters(call)
        up, down = w.clamp(min=0), w.clamp(max=0)
        b_up, b_down = (None, None) if b is None else (b.clamp(min=0), b.clamp(max=0))
        shape = (1, -1, *[1] * (x.dim() - 2))
        if len(low) != x.shape[1]:
            raise Refused(f"z_box: the first operation reads {x.shape[1]} channels, no pixels of {len(low)} colors")
        lowest, highest = (x.new_tensor(bound).view(shape).expand_as(x) for bound in (low, high))
        slack = 0.01 * (highest - lowest)
        if ((x < lowest - slack) | (x > highest + slack)).any():
            raise Refused("z_box: the first operation does not read the pixels as they are normalized")
        y = _apply(call, x, w, b)
        s = r / stabilized(y - _apply(call, lowest, up, b_up) - _apply(call, highest, down, b_down), eps)
        given = x * _pull(call, x, w, s) - lowest * _pull(call, x, up, s) - highest * _pull(call, x, down, s)
        return given / stabilized(x, min_divisor(call.inputs[0].dtype))

    return share


DIVIDING = ("flat", "w_square", "z_box")
"""Rules for the first operation, whose shares do not depend on x; their m is R / x."""
NORMALIZED = "normalization"
"""What coverage calls operations by which a network normalizes its pixels."""


@final
@dataclass(frozen=True)
class Relevance(Rule):
    """LRP with one share rule for the first operations, one for convolutions, one for fully connected ones.

    Activations hand on what they receive; of products, what only scales (a gate) receives nothing; two factors of
    equal standing share half and half; a batch norm is merged into the convolution before it.
    """

    first: tuple[str, LrpRule] | None
    features: tuple[str, LrpRule]
    classifier: tuple[str, LrpRule]
    name: str = field(default="LRP")
    fuses_norm = True
    exhaustive = True
    normalizes = True

    def handles(self, operation: str, kind: Kind) -> bool:
        return kind != "alike"

    def apply(self, call: Call) -> tuple[Any, str] | None:
        if call.first and call.kind in ("alike", "batch_norm", "product", "quotient"):
            passed = normalized(call)
            if passed is not None:
                return passed, NORMALIZED
        if call.kind in ("weighted", "batch_norm"):
            named = self._share(call)
            return _weighted(call, named[1]), named[0]
        if call.kind == "elementwise":
            return identity_rule(call), "handed on"
        if call.kind in ("product", "matmul"):
            return product_rule(call)
        if call.kind in ("alike", "quotient"):
            return call.function(*call.inputs), "sum"
        return (call.function(*call.inputs), "winner") if call.kind == "pool" else None

    @property
    def divides(self) -> bool:
        """Whether the first operation hands on R / x: m is then as large as x is small, and 0 times it must be R."""
        return self.first is not None and self.first[0].partition(":")[0] in DIVIDING

    def _share(self, call: Call) -> tuple[str, LrpRule]:
        if call.kind == "batch_norm":
            return "epsilon", epsilon()
        if call.first and self.first is not None:
            return self.first
        return self.classifier if call.operation == "linear" else self.features


def _weighted(call: Call, share: LrpRule) -> Tensor:
    known = call.without_graph()
    (x,), (kept,) = call.inputs, known.inputs
    with torch.no_grad():
        value = call.function(kept)
        y = value.clone()

    def back(m: Tensor) -> tuple[Tensor]:
        return (downcast_clamped(share(known, upcast(kept), upcast(m) * upcast(y)), kept),)

    return custom_backward(value, back, x)


def identity_rule(call: Call, eps: float = 1e-6) -> Tensor:
    """y = f(x) with m_in = m_out · y / x: relevance passes. Near x = 0 the limit of y / x is taken."""
    (x,) = call.inputs
    kept = x.detach()
    with torch.no_grad():
        value = call.function(kept)
        at_zero = call.function(torch.zeros_like(kept))
    y = value.detach().clone()

    def back(m: Tensor) -> tuple[Tensor]:
        x = upcast(kept)
        by_value = upcast(y) / torch.where(x == 0, 1.0, x)
        by_slope = torch.where(x == 0, upcast(derivative(call.function, kept)), by_value)
        # Where f(0) is not 0, y / x has no limit there.
        rate = torch.where(at_zero == 0, by_slope, upcast(y) / stabilized(x, eps))
        return (downcast_clamped(upcast(m) * rate, kept),)

    return custom_backward(value, back, x)


def normalized(call: Call) -> Tensor | None:
    """Pixels that a network normalizes itself: relevance passes whole, as where it is done ahead of the network.

    Whatever is subtracted or divided by takes no share, a constant or the image's own mean: m_in = m_out · y / x,
    both kept away from 0 as the map's own product keeps the pixels. None for two images, each of which has its share.
    """
    kept = call.without_graph().inputs
    size = max(x.numel() for x in kept)
    if sum(x.numel() == size for x in kept) > 1:
        return None
    with torch.no_grad():
        value = call.function(*kept)
        y = value.clone()

    def back(m: Tensor) -> tuple[Tensor, ...]:
        relevance = upcast(m) * stabilized(upcast(y), min_divisor(m.dtype))
        return tuple(
            downcast_clamped(relevance.sum_to_size(x.shape) / stabilized(upcast(x), min_divisor(x.dtype)), x)
            if x.numel() == size
            else torch.zeros_like(x)
            for x in kept
        )

    return custom_backward(value, back, *call.inputs)


def product_rule(call: Call) -> tuple[Any, str] | None:
    """A product of two: all to the one that is scaled, or half to each."""
    if len(call.inputs) != 2:
        return (call.function(*call.inputs), "linear") if len(call.inputs) == 1 else None
    a, b = call.inputs
    gates = call.gates if len(call.gates) == 2 else (False, False)
    shares, said = ((0.5, 0.5), "halves") if gates[0] == gates[1] else ((float(gates[1]), float(gates[0])), "gate")
    both = bilinear(call.function, a, b)

    def back(m: Tensor) -> tuple[Tensor, Tensor]:
        to_a, to_b = both(m)
        return shares[0] * to_a, shares[1] * to_b

    with torch.no_grad():
        value = call.function(a.detach(), b.detach())
    return custom_backward(value, back, a, b), said


def _parameters(call: Call) -> tuple[Tensor, Tensor | None]:
    if call.weight is None:
        raise TypeError(f"{call.operation} has no weights")
    return upcast(call.weight.detach()), None if call.bias is None else upcast(call.bias.detach())


def _apply(call: Call, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if call.weighted is None or weight is None:
        raise TypeError(f"{call.operation} has no weights")
    with torch.no_grad():
        return call.weighted(x, weight.to(x), None if bias is None else bias.to(x))


def _pull(call: Call, x: Tensor, weight: Tensor | None, signal: Tensor) -> Tensor:
    if call.weighted is None or weight is None:
        raise TypeError(f"{call.operation} has no weights")
    function = call.weighted
    return vjp(lambda at: function(at, weight.detach().to(x), None), x, signal)
