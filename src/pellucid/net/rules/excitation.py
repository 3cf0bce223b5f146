"""Excitation backprop: a winner walks down the network at random, and what is handed back is how often it passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from pellucid.net.rules.elementwise import narrowed, pulled, stabilised, wide
from pellucid.net.rules.engine import Call, Rule, through
from pellucid.net.rules.operations import Kind
from pellucid.net.rules.relevance import handed_on, split


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
    merges = True
    exhaustive = True

    def hears(self, operation: str, kind: Kind) -> bool:
        return kind != "alike" or operation == "add"

    def act(self, call: Call) -> tuple[Any, str] | None:
        if call.kind == "weighted":
            return self._weighted(call), "excitation"
        if call.kind in ("elementwise", "batch_norm"):
            return handed_on(call), "handed on"
        if call.kind == "alike":
            if len(call.inputs) == 2:
                return _added(call), "positive shares"
            return call.function(*call.inputs), "one term"
        if call.kind == "pool":
            return call.function(*call.inputs), "winner"
        return split(call) if call.kind in ("product", "matmul") else None

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
            excitatory = (sign * wide(weight.detach())).clamp(min=0)
            positive = wide(kept).clamp(min=0)
            with torch.no_grad():
                whole = function(positive, excitatory, None)
            sent = wide(m) * wide(y) / stabilised(whole, 1e-12)
            sent = torch.where(whole > 0, sent, 0.0)
            shared = pulled(lambda at: function(at, excitatory, None), positive, sent)
            return (narrowed(torch.where(kept > 0, shared, 0.0), kept),)

        return through(value, back, x)


def _added(call: Call) -> Tensor:
    """P of each term ∝ its positive part: a negative one excites nothing."""
    kept = call.without_graph().inputs
    a, b = (wide(x) for x in kept)
    with torch.no_grad():
        value = call.function(*kept)
        y, whole = wide(value.clone()), wide(call.function(a.clamp(min=0), b.clamp(min=0)))

    def back(m: Tensor) -> tuple[Tensor, ...]:
        sent = torch.where(whole > 0, wide(m) * y / stabilised(whole, 1e-12), 0.0)
        return tuple(narrowed(_unspread(sent, x) * (x > 0), to) for x, to in zip((a, b), kept, strict=True))

    return through(value, back, *call.inputs)


def _unspread(sent: Tensor, like: Tensor) -> Tensor:
    """Summed over the places where `like` was broadcast."""
    return sent.sum_to_size(like.shape)
