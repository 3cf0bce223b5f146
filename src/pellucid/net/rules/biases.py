"""What is not proportional to the input: the bias of every operation, and what of the score it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from pellucid.net.rules.elementwise import derivative
from pellucid.net.rules.engine import Call, Rule
from pellucid.net.rules.operations import Kind

_AFFINE = {
    "add", "sub", "subtract", "rsub", "pad", "constant_pad_nd", "masked_fill", "where", "cat", "concat",
    "concatenate", "stack", "hstack", "vstack", "dstack",
}  # fmt: skip


Terms = list[tuple[str, Tensor]]


@final
@dataclass(frozen=True, eq=False)
class Biases(Rule):
    """Every operation near x is J x + c; its share of the score is c · d score / d output.

    Convolutions and batch norms have a bias c; for a function of single numbers c = f(x) − f'(x) x, for a product
    −a b. With these, gradient × input and all shares sum to the score on any network (Srinivas & Fleuret 2019,
    proposition 1, there for ReLU networks). `terms` is filled by the backward pass.
    """

    terms: Terms = field(default_factory=list)
    """(operation, share (N, …) of each output), the last operation first."""
    name: str = "bias"
    exhaustive = True

    def handles(self, operation: str, kind: Kind) -> bool:
        return kind != "pool" and (kind != "alike" or operation in _AFFINE)

    def apply(self, call: Call) -> tuple[Any, str] | None:
        value = call.function(*call.inputs)
        if not isinstance(value, Tensor):
            return None
        with torch.no_grad():
            constant = _constant(call, value.detach())
        if not constant.any():
            return value, "no bias"
        recorded: Tensor = _Recorded.apply(value, constant, call.operation, self.terms)
        return recorded, "bias"


def _constant(call: Call, value: Tensor) -> Tensor:
    """c of the operation's output, J x + c."""
    inputs = [x.detach() for x in call.inputs]
    if call.kind in ("weighted", "batch_norm"):
        if call.bias is None:
            return torch.zeros_like(value)
        axis = -1 if call.operation == "linear" else 1
        shape = [1] * value.dim()
        shape[axis] = -1
        return call.bias.to(value).view(shape).expand_as(value)
    if call.kind == "elementwise":
        return value - derivative(call.function, inputs[0]) * inputs[0]
    if call.kind in ("product", "matmul"):  # affine in each input alone: what each adds is its part of J x
        parts = (call.function(*inputs[:i], torch.zeros_like(x), *inputs[i + 1 :]) for i, x in enumerate(inputs))
        return value - sum((value - without for without in parts), torch.zeros_like(value))
    constant: Tensor = call.function(*(torch.zeros_like(x) for x in inputs))
    return constant


class _Recorded(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: object, value: Tensor, constant: Tensor, operation: str, terms: list[tuple[str, Tensor]]
    ) -> Tensor:
        ctx.constant, ctx.operation, ctx.terms = constant, operation, terms  # type: ignore[attr-defined]
        return value.clone()

    @staticmethod
    def backward(ctx: object, signal: Tensor) -> tuple[Tensor, None, None, None]:
        ctx.terms.append((ctx.operation, (signal * ctx.constant).detach()))  # type: ignore[attr-defined]
        return signal, None, None, None
