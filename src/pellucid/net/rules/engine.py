"""The one mechanism under every rule: calls of functions, met while the network runs."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from pellucid.net.rules.calls import arguments, blanked, filled
from pellucid.net.rules.compose import composed
from pellucid.net.rules.operations import SHIFTS, SPATIAL, SPELLINGS, Kind, OpAlias, alias_of
from pellucid.result.coverage import PLAIN, Met

__all__ = ["Call", "Rule", "RuleMode", "custom_backward", "hidden_functions"]

Back = Callable[[Tensor], tuple[Tensor | None, ...]]
Live = list[tuple[Any, Tensor]]
"""The arguments that depend on the pixels, with their places."""
Weighted = Callable[[Tensor, Tensor, Tensor | None], Tensor]
_GATES = {"sigmoid", "hardsigmoid", "softmax", "reciprocal", "rsqrt"}


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an operation that the signal flows through."""

    operation: str
    kind: Kind
    inputs: tuple[Tensor, ...]
    """The arguments that depend on the pixels: copies, which nothing overwrites later."""
    function: Callable[..., Any]
    """The operation as a function of `inputs`; it writes into none of them."""
    weight: Tensor | None = None
    bias: Tensor | None = None
    weighted: Weighted | None = None
    """Of operations with weights: f(input, weight, bias), linear in the input."""
    first: bool = False
    """No operation with weights lies between the pixels and this one."""
    gates: tuple[bool, ...] = ()
    """Which inputs only scale others: of fewer numbers than the output, or out of a sigmoid or softmax."""

    def without_graph(self) -> Call:
        """The same call for use inside a backward function: its inputs have the numbers, but no graph.

        Autograd's C++ side hides references from Python's garbage collector: a backward function that holds a tensor
        of the graph to which it belongs keeps the whole graph alive for ever.
        """
        return replace(self, inputs=tuple(value.detach() for value in self.inputs))


class Rule(ABC):
    """How operations answer a backward pass."""

    name: str
    fuses_norm = False
    """A batch norm after an operation with weights is one operation with it."""
    exhaustive = False
    """Composed operations are rewritten in simpler ones, and what has no rule is reported."""
    normalizes = False
    """Sums and products of the pixels themselves, ahead of every operation with weights, have a rule of their own."""

    @abstractmethod
    def handles(self, operation: str, kind: Kind) -> bool:
        """Whether the rule overrides the backward of this operation; such calls are counted in coverage."""

    @abstractmethod
    def apply(self, call: Call) -> tuple[Any, str] | None:
        """The output of the call carrying another backward, and the rule's name; None for the ordinary one."""


class _CustomBackward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, value: Tensor, back: Callable[[Tensor], tuple[Tensor | None, ...]], *inputs: Tensor
    ) -> Tensor:
        ctx.back = back
        return value.detach().clone()

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.back(signal))


def custom_backward(value: Tensor, back: Back, *inputs: Tensor) -> Tensor:
    """`value`, computed from `inputs` in whatever way, with `back(signal)` giving one signal for each input."""
    output: Tensor = _CustomBackward.apply(value, back, *inputs)
    return output


class RuleMode(TorchFunctionMode):
    """Applies a rule to every call it knows and counts what happened to each operation."""

    def __init__(self, rule: Rule, inputs: Tensor | None = None) -> None:
        super().__init__()
        self.rule = rule
        self.coverage: Counter[Met] = Counter()
        self._raw, self._gating, self._made = (WeakIdKeyDictionary() for _ in range(3))
        if inputs is not None:
            self._raw[inputs] = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        live = [(key, value) for key, value in arguments(args, kwargs) if _flows(value)]
        alias = alias_of(func, args, kwargs, len(live))
        if alias is None or not live or self._is_linear(alias, live):
            output = func(*args, **kwargs)
            if alias is None and live and self._misses(func) and any(map(_flows, _tensors(output))):
                self._count(getattr(func, "__name__", str(func)), PLAIN)
            return self._marked(output, alias, [value for _, value in live])
        if alias.kind == "composed" and self.rule.exhaustive:
            return self._composed(alias, func, args, kwargs, [value for _, value in live])
        if alias.kind == "quotient" and not self._normalizes(alias, live):
            alias = replace(alias, kind="composed")
            if self.rule.exhaustive:
                return self._composed(alias, func, args, kwargs, [value for _, value in live])
        if not self._is_handled(alias, live):
            return self._marked(func(*args, **kwargs), alias, [value for _, value in live])
        if alias.kind == "weighted" and _flows(bias := args[2] if len(args) > 2 else kwargs.get("bias")):
            with self:  # as a sum, for which there are rules
                return _unbiased(func, args, kwargs) + bias.view(-1, *[1] * SPATIAL[alias.operation])
        return self._acted(alias, func, args, kwargs, live)

    def _misses(self, func: Any) -> bool:
        """Whether the rule would have something to say about a call that is known in no such form."""
        known = SPELLINGS.get(func)
        return self.rule.exhaustive or (known is not None and self.rule.handles(known.operation, known.kind))

    def _is_linear(self, alias: OpAlias, live: Live) -> bool:
        """Whether any rule would leave it to the ordinary gradient: it is linear in the only input that flows."""
        if self._normalizes(alias, live):
            return False
        if alias.kind == "alike":
            return not self._is_handled(alias, live)
        if alias.kind == "quotient":
            return len(live) == 1 and live[0][0] == (1 if alias.operation == "rdiv" else 0)
        return alias.kind in ("product", "matmul") and len(live) == 1

    def _is_handled(self, alias: OpAlias, live: Live) -> bool:
        """Whether the rule says how the call answers."""
        return self._normalizes(alias, live) or self.rule.handles(alias.operation, alias.kind)

    def _normalizes(self, alias: OpAlias, live: Live) -> bool:
        """Whether the call shifts or scales the pixels themselves, and the rule has an answer of its own to that."""
        if not self.rule.normalizes or not all(value in self._raw for _, value in live):
            return False
        return (
            alias.operation in SHIFTS
            or alias.operation == "mul"
            or (alias.operation == "div" and [place for place, _ in live] == [0])
        )

    def _acted(
        self,
        alias: OpAlias,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        live: Live,
    ) -> Any:
        args, kwargs, inplace = _in_place(func, args, kwargs, alias)
        inputs = tuple(value for _, value in live)
        places = [0 if place == "input" and "input" not in kwargs else place for place, _ in live]
        # The function outlives the call, inside the graph: it must not hold the arguments that have a graph themselves.
        rest, named = blanked(args, kwargs, places)

        def function(*values: Tensor) -> Any:
            return filled(func, rest, named, places, values, copies=alias.writes)

        # What is saved for the way back must not be what this or a later call overwrites.
        taken = tuple(value.clone() for value in inputs)
        call = Call(
            alias.operation,
            alias.kind,
            taken,
            function,
            first=any(value in self._raw for value in inputs),
            gates=tuple(value in self._gating or _spread(value, alias, inputs) for value in inputs),
        )
        merged = ""
        if alias.kind == "weighted":
            call = _with_weights(call, func, args, kwargs)
        elif alias.kind == "batch_norm":
            call = _as_scaling(call, func, args, kwargs)
            if self.rule.fuses_norm and (found := self._merged(call, inputs[0])) is not None:
                merged, call = f" (merged into {found.operation})", found
        acted = self.rule.apply(call)
        self._count(alias.operation, f"{acted[1]}{merged}" if acted else PLAIN)
        output = acted[0] if acted else function(*taken)
        if call.weighted is not None and not merged and isinstance(output, Tensor):
            self._made[output] = (call, output._version)
        if inplace:  # the result must appear in the input itself, for callers that drop the return value
            output = args[0].copy_(output)
        return self._marked(output, alias, list(inputs))

    def _composed(
        self, alias: OpAlias, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], live: list[Tensor]
    ) -> Any:
        args, kwargs, inplace = _in_place(func, args, kwargs, alias)
        with self:
            output = composed(alias.operation, args, kwargs)
        if output is None:
            self._count(alias.operation, PLAIN)
            output = func(*args, **kwargs)
        elif inplace:
            output = args[0].copy_(output)
        return self._marked(output, alias, live)

    def _merged(self, scaling: Call, z: Tensor) -> Call | None:
        """The batch norm of `z` and the operation with weights that made z, as one."""
        if z not in self._made:
            return None
        made, version = self._made[z]
        # Of tokens (N, L, C), a batch norm scales L, which are no outputs of the operation.
        if made.weight is None or scaling.weight is None or scaling.bias is None:
            return None
        if z._version != version or made.kind != "weighted" or z.dim() != made.weight.dim():
            return None
        scale, outs = scaling.weight, made.weight.shape[1 if "transpose" in made.operation else 0]
        if "transpose" not in made.operation:
            scale = scale.view(-1, *[1] * (made.weight.dim() - 1))
        else:  # weights (in, out / groups, …): each group of inputs has its own share of the outputs
            groups = len(scale) // outs
            scale = scale.view(groups, 1, outs).expand(groups, len(made.weight) // groups, outs)
            scale = scale.reshape(len(made.weight), outs, *[1] * (made.weight.dim() - 2))
        shift = scaling.bias if made.bias is None else made.bias * scaling.weight + scaling.bias
        with torch.no_grad():
            value = scaling.function(z.detach())
        merged: Call = replace(made, weight=made.weight * scale, bias=shift, function=lambda *_: value)
        return merged

    def _marked(self, output: Any, alias: OpAlias | None, live: list[Tensor]) -> Any:
        """Notes what later calls want to know about the output."""
        if not live or alias is None:
            return output
        raw = alias.kind != "weighted" and all(value in self._raw for value in live)
        gating = alias.operation in _GATES or (
            (alias.kind == "alike" or (len(live) == 1 and alias.kind in ("product", "matmul")))
            and all(value in self._gating for value in live)
        )
        for tensor in _tensors(output) if raw or gating else ():
            if raw:
                self._raw[tensor] = True
            if gating:
                self._gating[tensor] = True
        return output

    def _count(self, operation: str, said: str) -> None:
        self.coverage[operation, said] += 1


def _flows(value: Any) -> bool:
    # In a custom autograd function, and wherever gradients are off, tensors still say that they require one.
    return isinstance(value, Tensor) and value.requires_grad and torch.is_grad_enabled()


@cache
def _inplace_place(func: Any) -> int | None:
    """Where a function takes its flag `inplace`, if it does."""
    try:
        names = list(inspect.signature(func).parameters)
    except (ValueError, TypeError):
        return None
    return names.index("inplace") if "inplace" in names else None


def _in_place(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], alias: OpAlias
) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
    """The arguments with `inplace` off, and whether it was on."""
    kwargs = dict(kwargs)
    inplace = bool(kwargs.pop("inplace", False)) or alias.writes
    place = _inplace_place(func)
    if place is not None and len(args) > place:
        inplace, args = inplace or bool(args[place]), (*args[:place], False, *args[place + 1 :])
    if not args and "input" in kwargs:
        args = (kwargs.pop("input"),)
    return args, kwargs, inplace


def _unbiased(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """The call of an operation with weights, without its bias."""
    output: Tensor = func(
        *args[:2], *[None for _ in args[2:3]], *args[3:], **{**kwargs, "bias": None} if "bias" in kwargs else kwargs
    )
    return output


def _spread(value: Tensor, alias: OpAlias, inputs: tuple[Tensor, ...]) -> bool:
    """Whether one number of it stands in many places: it was expanded, or the product will expand it."""
    if alias.kind == "product" and value.numel() < max(other.numel() for other in inputs):
        return True
    return any(step == 0 and size > 1 for step, size in zip(value.stride(), value.shape, strict=True))


def _with_weights(call: Call, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """The call with its weight and bias in sight: func(input, weight, bias, …)."""
    given = dict(zip(("input", "weight", "bias"), args[:3], strict=False)) | kwargs
    rest, named = args[3:], {k: v for k, v in kwargs.items() if k not in ("input", "weight", "bias")}
    if _flows(given["weight"]) or len(call.inputs) != 1:  # dynamic convolution: the weights come from the image
        return replace(call, kind="matmul")

    def weighted(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        output: Tensor = func(x, weight, bias, *rest, **named)
        return output

    return replace(call, weight=given["weight"], bias=given.get("bias"), weighted=weighted)


def _as_scaling(call: Call, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """A batch norm as x · weight + bias per channel; statistics taken from the batch are held fixed."""
    order = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
    if func is torch.batch_norm:
        order = ("input", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps")
    given = dict(zip(order, args, strict=False)) | kwargs
    x, mean, var = given["input"].detach(), given.get("running_mean"), given.get("running_var")
    if given.get("training") or mean is None or var is None:
        over = [axis for axis in range(x.dim()) if axis != 1]
        mean, var = x.mean(over), x.var(over, unbiased=False)
    scale = (var + given.get("eps", 1e-5)).rsqrt()
    scale = scale if given.get("weight") is None else scale * given["weight"]
    shift = -mean * scale if given.get("bias") is None else given["bias"] - mean * scale

    def weighted(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        shape = (1, -1, *[1] * (x.dim() - 2))
        scaled = x * weight.view(shape)
        return scaled if bias is None else scaled + bias.view(shape)

    return replace(call, weight=scale, bias=shift, weighted=weighted)


def hidden_functions(output: Any) -> dict[Met, int]:
    """Custom autograd functions in the graph of `output`: written by the network's author, out of any rule's reach."""
    todo = [tensor.grad_fn for tensor in _tensors(output) if tensor.grad_fn is not None]
    met, hidden = set(todo), Counter[Met]()
    while todo:
        node = todo.pop()
        if isinstance(node, torch.autograd.function.BackwardCFunction) and not _ours(node):
            hidden[f"{node.name().removesuffix('Backward')} (custom autograd function)", PLAIN] += 1
        for following, _ in node.next_functions:
            if following is not None and following not in met:
                met.add(following)
                todo.append(following)
    return dict(hidden)


def _ours(node: Any) -> bool:
    return str(getattr(type(node)._forward_cls, "__module__", "")).startswith("pellucid.net.rules")


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]
