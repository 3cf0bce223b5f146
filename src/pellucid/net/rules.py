"""Backward rules of operations, at function level.

A rule acts on the call of a function (`relu`, `Tensor.relu_`, `F.hardtanh` …), not on a module: functional,
in-place, shared and pre-activation networks are then all the same to it. The changed backward pass is written
into the graph while the forward pass runs; nothing is left behind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Function = Callable[..., Tensor]


def _spellings() -> dict[Any, tuple[str, bool]]:
    """Every callable that torch has for an activation -> (its one name here, whether it writes in place)."""
    names = """
        relu relu6 hardtanh clamp clip clamp_min clamp_max threshold leaky_relu prelu rrelu elu selu celu gelu silu
        mish hardswish softplus sigmoid tanh softmax log_softmax hardsigmoid logsigmoid _prelu_kernel
    """
    one_name = {"clip": "clamp", "clamp_max": "clamp", "clamp_min": "clamp", "_prelu_kernel": "prelu"}
    table: dict[Any, tuple[str, bool]] = {}
    for home in (torch, Tensor, F, torch._C._nn, torch.special):
        for name in names.split():
            for spelled, inplace in ((name, False), (f"{name}_", True)):
                if function := getattr(home, spelled, None):
                    table[function] = (one_name.get(name, name), inplace)
    return table


_OPERATIONS = _spellings()
RECTIFIERS = {"relu", "relu6", "hardtanh", "clamp", "threshold"}
"""Piecewise linear with slope 0 or 1: f'(x) is the forward mask."""
MONOTONE = {"leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "softplus"}
"""Never falling: the derivative is kept, the signal is clamped."""
SMOOTH = {"gelu", "silu", "mish", "hardswish"}
"""The derivative can be negative: no published definition, hence a choice."""

Smooth = Literal["positive_product", "gate", "plain"]


class Rule(ABC):
    """How operations answer a backward pass."""

    name: str

    @abstractmethod
    def act(self, operation: str, function: Function, x: Tensor) -> tuple[Tensor, str] | None:
        """The output of `function(x)` carrying another backward, and the rule's name; None for the ordinary one."""


@final
@dataclass(frozen=True)
class Guided(Rule):
    """Guided backpropagation (Springenberg et al. 2015, section 3.4): R · [R > 0] · f'(x).

    For a ReLU, f' is the forward mask [x > 0]; for ReLU6 and hardtanh the mask of the slope, 0 < x < 6. Smooth
    activations: `positive_product` relu(R · f'(x)), `gate` relu(R) · [x > 0], `plain` R · f'(x).
    """

    smooth: Smooth = "positive_product"
    name = "guided"

    def act(self, operation: str, function: Function, x: Tensor) -> tuple[Tensor, str] | None:
        if operation in RECTIFIERS | MONOTONE:
            return _positive(function(x)), "guided"
        if operation in SMOOTH and self.smooth == "positive_product":
            return function(_positive(x)), "guided (positive_product)"
        if operation in SMOOTH and self.smooth == "gate":
            return _Gate.apply(x, function), "guided (gate)"
        return None


@final
@dataclass(frozen=True)
class Deconvnet(Rule):
    """The deconvnet (Zeiler & Fergus 2013, section 2.1): R · [R > 0], whatever the forward mask was.

    ReLU6, hardtanh and smooth activations alike; LeakyReLU, PReLU and ELU keep their slope.
    """

    name = "deconvnet"

    def act(self, operation: str, function: Function, x: Tensor) -> tuple[Tensor, str] | None:
        if operation in RECTIFIERS | SMOOTH:
            return _PositiveThrough.apply(x, function), "deconvnet"
        if operation in MONOTONE:
            return _positive(function(x)), "deconvnet (slope kept)"
        return None


class _Positive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()  # a copy: what follows may write in place, and the activation's result is saved

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> Tensor:
        return signal.clamp(min=0)


class _PositiveThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Function) -> Tensor:
        return function(x)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[Tensor, None]:
        return signal.clamp(min=0), None


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Function) -> Tensor:
        ctx.save_for_backward(x > 0)
        return function(x)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[Tensor, None]:
        (open_,) = ctx.saved_tensors
        return signal.clamp(min=0) * open_, None


def _positive(x: Tensor) -> Tensor:
    """x; on the way back, only the positive part of the signal passes."""
    passed: Tensor = _Positive.apply(x)
    return passed


class RuleMode(TorchFunctionMode):
    """Applies a rule to every call it knows and counts what happened to each operation."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.coverage: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operation, inplace = _OPERATIONS.get(func, (None, False))
        if operation is None:
            if "max_pool" in getattr(func, "__name__", ""):
                self.coverage["max_pool: plain"] += 1  # its ordinary gradient goes through the switches
            return func(*args, **kwargs)
        x, rest = (args[0], args[1:]) if args else (kwargs.pop("input"), ())
        inplace = bool(kwargs.pop("inplace", inplace))

        # In place, the result must appear in x itself, for callers that drop the return value; and what
        # autograd saves must not be what is overwritten.
        def function(value: Tensor) -> Tensor:
            result: Tensor = func(value.clone() if func_writes else value, *rest, **kwargs)
            return result

        func_writes = _OPERATIONS[func][1]
        acted = self.rule.act(operation, function, x.clone() if inplace else x)
        self.coverage[f"{operation}: {acted[1] if acted else 'plain'}"] += 1
        output = acted[0] if acted else function(x.clone() if inplace else x)
        return x.copy_(output) if inplace else output


def hidden_functions(output: Any) -> dict[str, int]:
    """Custom autograd functions in the graph of `output`: written by the network's author, out of any rule's reach."""
    todo = [tensor.grad_fn for tensor in _tensors(output) if tensor.grad_fn is not None]
    met, hidden = set(todo), Counter[str]()
    ours = {f"{kind.__name__}Backward" for kind in (_Positive, _PositiveThrough, _Gate)}
    while todo:
        node = todo.pop()
        if isinstance(node, torch.autograd.function.BackwardCFunction) and node.name() not in ours:
            hidden[f"{node.name().removesuffix('Backward')} (custom autograd function): plain"] += 1
        for following, _ in node.next_functions:
            if following is not None and following not in met:
                met.add(following)
                todo.append(following)
    return dict(hidden)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]
