"""Why a network failed on an input, in one line with a way that works."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction

from pellucid.errors import BadNetwork, FailedOnInput, OutOfMemory, PellucidError, is_out_of_memory
from pellucid.net.weights import original_of


def failure(module: nn.Module, inputs: Tensor, error: Exception) -> PellucidError:
    """What to say of a network that raised `error` on these inputs."""
    module, shape = original_of(module), "×".join(map(str, inputs.shape))
    if is_out_of_memory(error):
        return OutOfMemory(f"{inputs.device} has no room for a pass of {shape}")
    others = _other_inputs(module) if isinstance(error, TypeError) else []
    if others:
        first, *_ = inspect.signature(module.forward).parameters
        held = ", ".join(f"self.{one}" for one in others)
        return BadNetwork(
            f"{type(module).__name__} takes {1 + len(others)} inputs ({', '.join([first, *others])}), and is shown one "
            f"image: load an nn.Module that holds {held} as buffers and whose "
            f"forward(self, {first}) returns self.net({', '.join([first, *(f'{one}=self.{one}' for one in others)])})"
        )
    return FailedOnInput(f"the network failed on an input of {shape}: {type(error).__name__}: {error}")


def _other_inputs(module: nn.Module) -> list[str]:
    """What forward needs besides its first argument."""
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in parameters[1:] if one.default is one.empty and one.kind not in kinds]


def stops(outputs: Tensor | Sequence[Tensor]) -> bool:
    """Whether the graph has an operation without a derivative, at which torch lets the gradient end with a warning."""
    return any("NotImplemented" in node.name() for node in _nodes(outputs))


def runs_python(outputs: Tensor | Sequence[Tensor]) -> bool:
    """Whether a derivative in the graph is written in Python: it may run parts of the network again."""
    return any(isinstance(node, BackwardCFunction) for node in _nodes(outputs))


def _nodes(outputs: Tensor | Sequence[Tensor]) -> Iterator[Any]:
    """Every operation of the graph behind these outputs, once."""
    ends = [outputs] if isinstance(outputs, Tensor) else outputs
    todo = [output.grad_fn for output in ends if output.grad_fn is not None]
    met = set(todo)
    while todo:
        node = todo.pop()
        yield node
        new = {following for following, _ in node.next_functions if following is not None} - met
        met |= new
        todo += new
