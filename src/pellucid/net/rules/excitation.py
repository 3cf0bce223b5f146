"""Excitation backprop: a winner walks down the network at random, and what is handed back is how often it passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from pellucid.net.rules.elementwise import downcast_clamped, stabilized, upcast, vjp
from pellucid.net.rules.engine import Call, Rule, custom_backward
from pellucid.net.rules.operations import Kind
from pellucid.net.rules.relevance import identity_rule, product_rule


@final
@dataclass(frozen=True, eq=False)
class Excitation(Rule):
    """P(input | output) ∝ x⁺ w⁺ (Zhang et al. 2016, equation 1); inhibition and biases take no part.

    What flows back is m = P / x. With `dual`, the last operation with weights is negated: what speaks against
    (section 3.4). Probability that reaches an output which nothing excites ends there, as in the paper.
    """

    dual: bool = False
    begun: list[bool] = field(default_factory=list)
    """Whether the last operation has been met on the way back."""
    name: str = "excitation backprop"
    fuses_norm = True
    exhaustive = True

    def handles(self, operation: str, kind: Kind) -> bool:
        return kind != "alike" or operation == "add"

    def apply(self, call: Call) -> tuple[Any, str] | None:
        if call.kind == "weighted":
            return self._weighted(call), "excitation"
        if call.kind in ("elementwise", "batch_norm"):
            return identity_rule(call), "handed on"
        if call.kind == "alike":
            if len(call.inputs) == 2:
                return _added(call), "positive shares"
            return call.function(*call.inputs), "one term"
        if call.kind == "pool":
            return call.function(*call.inputs), "winner"
        return product_rule(call) if call.kind in ("product", "matmul") else None

    def _weighted(self, call: Call) -> Tensor:
        (x,) = call.inputs
        kept, function, weight = x.detach(), call.weighted, call.weight
        if function is None or weight is None:
            raise TypeError(f"{call.operation} has no weights")
        with torch.no_grad():
            value = call.function(kept)
        y = value.clone()

        def back(m: Tensor) -> tuple[Tensor]:
            sign = -1.0 if self.dual and not self.begun else 1.0
            self.begun.append(True)
            excitatory = (sign * upcast(weight.detach())).clamp(min=0)
            positive = upcast(kept).clamp(min=0)
            with torch.no_grad():
                whole = function(positive, excitatory, None)
            sent = upcast(m) * upcast(y) / stabilized(whole, 1e-12)
            sent = torch.where(whole > 0, sent, 0.0)
            shared = vjp(lambda at: function(at, excitatory, None), positive, sent)
            return (downcast_clamped(torch.where(kept > 0, shared, 0.0), kept),)

        return custom_backward(value, back, x)


def _added(call: Call) -> Tensor:
    """P of each term ∝ its positive part: a negative one excites nothing."""
    kept = call.without_graph().inputs
    a, b = (upcast(x) for x in kept)
    with torch.no_grad():
        value = call.function(*kept)
        y, whole = upcast(value.clone()), upcast(call.function(a.clamp(min=0), b.clamp(min=0)))

    def back(m: Tensor) -> tuple[Tensor, ...]:
        sent = torch.where(whole > 0, upcast(m) * y / stabilized(whole, 1e-12), 0.0)
        return tuple(downcast_clamped(_unspread(sent, x) * (x > 0), to) for x, to in zip((a, b), kept, strict=True))

    return custom_backward(value, back, *call.inputs)


def _unspread(sent: Tensor, like: Tensor) -> Tensor:
    """Summed over the places where `like` was broadcast."""
    return sent.sum_to_size(like.shape)
