"""The same network with other weights: they stand in the module's places for the length of a pass, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pellucid.errors import BadNetwork, PellucidError, Refused, unknown
from pellucid.net.conduct import Conduct

_SHARED = ("_modules", "_parameters", "_buffers", "_non_persistent_buffers_set", "training")
Place = tuple[nn.Module, dict[str, Any], str]
"""(the part, its dict of parameters or of buffers, the name there)"""


class Reweighted(nn.Module):
    """A module with other values for some of its tensors. Its layers are those of the original, which it leaves alone.

    Whatever runs or reads it does so with the values in place. `torch.func.functional_call` makes the same exchange,
    but for the forward call alone: here the backward pass, traces and whoever reads weights need it too.
    """

    original: nn.Module
    values: dict[str, Tensor]
    """By every name that a tensor goes by."""
    active: int
    """How many `in_place` blocks are open."""

    def __init__(self, original: nn.Module, values: Mapping[str, Tensor]) -> None:
        super().__init__()
        # not by setattr, with which the original would be a layer of that name
        vars(self).update(original=original, values=dict(values), active=0)
        vars(self).update({name: getattr(original, name) for name in _SHARED})

    def __getattr__(self, name: str) -> Any:
        """What the original has."""
        original = vars(self).get("original")
        if original is None or name in _SHARED:  # half made, by a copy
            raise AttributeError(name)
        return getattr(original, name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The values stand in the places of the original's tensors; to be called under the lock of the module."""
        if parametrize._cache_enabled:
            raise Refused(
                "inside torch.nn.utils.parametrize.cached() a network keeps the weights that it has computed, and "
                "others cannot be put in: leave that block first"
            )
        with ExitStack() as undo:
            for name, value in self.values.items():
                _, held, own = place(self.original, name)
                undo.callback(held.__setitem__, own, held[own])
                held[own] = value
            vars(self)["active"] += 1
            undo.callback(self._left)
            yield

    def _left(self) -> None:
        vars(self)["active"] -= 1

    def parts(self) -> list[nn.Module]:
        """Those that hold an exchanged tensor."""
        return list({id(part): part for part, _, _ in (place(self.original, name) for name in self.values)}.values())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The original's, with the values in place."""
        with Conduct.of(self).lock:
            if self.active:  # a pass of ours, which has copies of the buffers there
                return self.original(*args, **kwargs)
            with self.in_place():
                return self.original(*args, **kwargs)

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, Any]]:
        """The original's, some of them replaced; those are plain tensors where they were given as such."""
        with Conduct.of(self).lock, self.in_place():
            found = list(self.original.named_parameters(*args, **kwargs))
        yield from found

    def named_buffers(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, Tensor]]:
        """The original's, some of them replaced."""
        with Conduct.of(self).lock, self.in_place():
            found = list(self.original.named_buffers(*args, **kwargs))
        yield from found

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The original's, some of its tensors replaced."""
        with Conduct.of(self).lock, self.in_place():
            return self.original.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Into the original: from then on nothing is replaced."""
        found = self.original.load_state_dict(*args, **kwargs)
        self.values.clear()
        return found

    def train(self, mode: bool = True) -> Reweighted:
        """As of the original."""
        self.original.train(mode)
        self.training = mode
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Reweighted:
        self.original._apply(fn, recurse)
        moved = {id(value): fn(value) for value in self.values.values()}  # tied tensors stay tied
        self.values.update({name: moved[id(value)] for name, value in self.values.items()})
        return self

    def _get_name(self) -> str:
        return type(self.original).__name__


def original_of(module: nn.Module) -> nn.Module:
    """The module that a `Reweighted` was made from; any other is its own."""
    return module.original if isinstance(module, Reweighted) else module


def place(module: nn.Module, name: str) -> Place:
    """Where a tensor of that name is. Raises BadNetwork where there is none."""
    path, _, own = name.rpartition(".")
    part: nn.Module | None = module
    for step in path.split(".") if path else ():
        part = part._modules.get(step) if part is not None else None
    if part is not None:
        for held in (part._parameters, part._buffers):
            if own in held:
                return part, held, own
    raise BadNetwork(f"the network has no tensor {name!r} any more: it was changed after with_weights")


def reweighted(module: nn.Module, values: Mapping[str, Any], name: str) -> Reweighted:
    """The module with these values (tensors or arrays) for the parameters and buffers of these names.

    Raises UnknownName, or PellucidError for a shape or kind of number that does not fit; `name` is for the message.
    """
    original = original_of(module)
    there = dict([*original.named_parameters(remove_duplicate=False), *original.named_buffers(remove_duplicate=False)])
    given: dict[str, Tensor] = {}
    for key, value in values.items():
        if key not in there:
            raise unknown(f"parameter or buffer of {name}", str(key), there)
        if not isinstance(place(original, key)[1], dict):
            raise Refused(f"{key!r} lies in TorchScript, where no other weights can be put: load the Python module")
        given[key] = _checked(key, value, there[key], name)
    held = dict(module.values) if isinstance(module, Reweighted) else {}
    made = Reweighted(original, held | _tied(given, there))
    Conduct.of(module).shared_with(made)
    return made


def _checked(key: str, value: Any, like: Tensor, name: str) -> Tensor:
    """The value as a tensor on the device of the one that it stands for."""
    tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
    if tensor.shape != like.shape:
        shapes = ["×".join(map(str, one.shape)) or "one number" for one in (tensor, like)]
        raise PellucidError(f"the value for {key!r} is {shapes[0]}, that of {name} is {shapes[1]}")
    if tensor.is_floating_point() != like.is_floating_point() or tensor.is_complex() != like.is_complex():
        raise PellucidError(f"the value for {key!r} is {tensor.dtype}, that of {name} is {like.dtype}")
    return tensor if like.is_meta else tensor.to(like.device)


def _tied(given: Mapping[str, Tensor], there: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the other names of each tensor. Raises PellucidError where two values are given for one tensor."""
    first: dict[int, str] = {}
    for key, value in given.items():
        other = first.setdefault(id(there[key]), key)
        same = value is given[other] or (not value.requires_grad and torch.equal(value, given[other]))
        if not same:
            raise PellucidError(f"{other!r} and {key!r} are one tensor of the network: give the same value for both")
    return {key: given[first[id(tensor)]] for key, tensor in there.items() if id(tensor) in first}
