"""What a module does in the steps of somebody's training, seen without changing a bit of it.

The other hooks (`tap.py`) live for a pass of ours; these for a `with` block around a loop that is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Heard = Callable[[nn.Module, Any, Any], None]
"""heard(part, what it was given, what it gave)."""


_HELD = (nn.ParameterDict, nn.ParameterList)


@runtime_checkable
class Observer(Protocol):
    """Who watches a training."""

    def begins(self, images: int) -> bool:
        """A step begins: is it to be watched? What was watched before is over. `images` is 0 where nobody knows."""

    def gave(self, layer: str, output: Tensor) -> None:
        """What a layer has given, before anything follows in place. It must be neither kept nor changed."""

    def slope(self, layer: str, gradient: Tensor) -> None:
        """The gradient of the loss by that output."""

    def weight(self, layer: str, number: int, gradient: Tensor) -> None:
        """The gradient of the loss by a parameter of the layer, as it has been added up so far in this step."""


def leaves(module: nn.Module) -> dict[str, nn.Module]:
    """The parts that have no parts themselves, by name; lists and dictionaries of parameters are none.

    A model of Keras knows its layers, torch does not.
    """
    if _of_keras(module):
        found: Any = [one for one in module._flatten_layers(include_self=False) if not [*one._layers]]  # type: ignore[operator]
        names = [one.name for one in found]
        return {one.name if names.count(one.name) == 1 else one.path: one for one in found}
    return {
        name: part
        for name, part in module.named_modules()
        if name and not isinstance(part, _HELD) and all(isinstance(child, _HELD) for child in part.children())
    }


def parameters_of(part: nn.Module) -> list[Tensor]:
    """What is trained of a leaf, in order."""
    if _of_keras(part):
        return [variable.value for variable in part.trainable_variables]  # type: ignore[union-attr]
    return [*part.parameters()]


@contextmanager
def observed(
    module: nn.Module, parts: Mapping[str, nn.Module], observer: Observer, passes: int = 1
) -> Iterator[Callable[[int], None]]:
    """Tell the observer of the steps that it wants to see; all hooks are gone afterwards.

    A step is so many passes in training mode. With passes=0 somebody else knows when one begins, and calls what is
    yielded, begin(images).
    """
    met = 0
    with ExitStack() as always, ExitStack() as step:

        def begin(images: int) -> None:
            step.close()
            if observer.begins(images):
                for name, part in parts.items():
                    step.callback(_hooked(part, _forward(name, observer)))
                    for i, p in enumerate(parameters_of(part)):
                        if p.requires_grad:
                            hook = _accumulated(name, i, observer)
                            step.callback(p.register_post_accumulate_grad_hook(hook).remove)

        def passed(_module: nn.Module, given: tuple[Any, ...]) -> None:
            nonlocal met
            if not (module.training and torch.is_grad_enabled()):  # somebody evaluates
                return
            met += 1
            if (met - 1) % passes == 0:
                begin(next((len(one) for one in given if isinstance(one, Tensor) and one.dim()), 0))

        if passes:
            always.callback(module.register_forward_pre_hook(passed).remove)
        yield begin


def _of_keras(part: nn.Module) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(part, keras.Layer)


def _hooked(part: nn.Module, heard: Heard) -> Callable[[], None]:
    """Hang it on a part; what takes it off again. Layers of Keras do not ask torch's hooks."""
    if not _of_keras(part):
        return part.register_forward_hook(heard).remove
    call: Any = part.call

    def told(*given: Any, **named: Any) -> Any:
        output = call(*given, **named)
        heard(part, given, output)
        return output

    vars(part)["call"] = told
    return lambda: vars(part).pop("call", None)


def _channels_first(part: nn.Module, output: Tensor) -> Tensor:
    if output.dim() == 4 and _of_keras(part) and sys.modules["keras"].config.image_data_format() == "channels_last":
        return output.movedim(-1, 1)
    return output


def _forward(name: str, observer: Observer) -> Heard:
    def hook(part: nn.Module, _given: Any, output: Any) -> None:
        if not (isinstance(output, Tensor) and output.is_floating_point() and torch.is_grad_enabled()):
            return
        observer.gave(name, _channels_first(part, output.detach()))
        if output.requires_grad:
            output.register_hook(lambda gradient: observer.slope(name, gradient.detach()))

    return hook


def _accumulated(name: str, number: int, observer: Observer) -> Callable[[Tensor], None]:
    def hook(parameter: Tensor) -> None:
        if parameter.grad is not None:
            observer.weight(name, number, parameter.grad.detach())

    return hook
