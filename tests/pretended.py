"""A device that is not there: tensors that say they are on it, computed on the CPU, and never mixed with others.

Whatever fails on a GPU for want of a `.to(...)` fails here in the GPU's own words, on any machine. Inside a backward
pass, where the gradients come from torch itself, everything is taken to be on the device.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("cuda:0")
_MARK = "pretended"
_GETTERS = {Tensor.device.__get__: lambda there: DEVICE if there else torch.device("cpu"),
            Tensor.is_cuda.__get__: lambda there: there, Tensor.is_cpu.__get__: lambda there: not there}  # fmt: skip
_MIX = {"copy_", "to", "type_as", "__get__", "__set__", "set_"}
"""What may meet tensors of several devices; indexing by numbers from the CPU is allowed as well."""
_INDEXING = {"__getitem__", "__setitem__"}


def moved(module: nn.Module) -> nn.Module:
    """The module, whose parameters and buffers now say that they are on the device."""
    for tensor in [*module.parameters(), *module.buffers()]:
        setattr(tensor, _MARK, True)
    return module


def is_there(value: Any) -> bool:
    return isinstance(value, Tensor) and vars(value).get(_MARK, False)


class Device(TorchFunctionMode):
    """Inside, tensors may be moved to the device and made on it."""

    def __init__(self) -> None:
        super().__init__()
        self.backward = 0
        self.run_backward = torch.autograd._engine_run_backward

    def __enter__(self) -> Device:
        def run(*args: Any, **kwargs: Any) -> Any:
            self.backward += 1
            try:
                with self:
                    return self.run_backward(*args, **kwargs)
            finally:
                self.backward -= 1

        if not self.backward:
            torch.autograd._engine_run_backward = run
            for (place, name), other in _OTHERS.items():
                setattr(place, name, other)
        return super().__enter__()  # type: ignore[no-any-return]

    def __exit__(self, *error: Any) -> None:
        if not self.backward:
            torch.autograd._engine_run_backward = self.run_backward
            for (place, name), own in _OWN.items():
                setattr(place, name, own)
        super().__exit__(*error)

    def is_there(self, value: Any) -> bool:
        return isinstance(value, Tensor) and (self.backward > 0 or is_there(value))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func in _GETTERS:
            return _GETTERS[func](self.is_there(args[0]))
        if func is torch.autograd.grad:
            return self._gradients(args, kwargs)
        copied = name == "__deepcopy__"  # its second argument remembers whatever was copied before
        tensors = [leaf for leaf in tree_leaves(args[:1] if copied else (args, kwargs)) if isinstance(leaf, Tensor)]
        there = any(map(self.is_there, tensors))
        if there and name in ("numpy", "__array__"):
            raise TypeError(f"can't convert {DEVICE} device type tensor to numpy. Use Tensor.cpu() first.")
        if there and name not in _MIX and not self.backward:
            indexed = name in _INDEXING and is_there(tensors[0])  # what says where may lie on either, or on both
            self._refuse_mixed(
                name, [one for one in (args[0], *args[2:]) if isinstance(one, Tensor)] if indexed else tensors
            )
        onto = there
        if name == "to":
            args, kwargs, onto = _destination(args, kwargs)
        elif name in ("cpu", "cuda"):
            onto = name == "cuda"
        elif name == "type_as":
            onto = is_there(args[1])
        elif name in ("copy_", *_INDEXING):
            onto = is_there(args[0])
        elif kwargs.get("device") is not None:
            onto, kwargs["device"] = torch.device(kwargs["device"]).type == DEVICE.type, torch.device("cpu")
        output = args[0] if name == "cuda" else func(*args, **kwargs)
        if name in ("to", "cpu", "cuda") and output is args[0] and onto != there:
            output = output.clone()
        if name == "__get__":  # `.grad`, `.data`, `.T` …
            onto = is_there(args[0])
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor) and onto != is_there(tensor):
                setattr(tensor, _MARK, onto)
        return output

    def _gradients(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Each gradient lies where its tensor does, whichever way it came."""
        found = torch.autograd.grad(*args, **kwargs)
        wanted = kwargs.get("inputs", args[1] if len(args) > 1 else ())
        for tensor, gradient in zip([wanted] if isinstance(wanted, Tensor) else wanted, found, strict=True):
            if gradient is not None:
                setattr(gradient, _MARK, is_there(tensor))
        return found

    def _refuse_mixed(self, name: str, tensors: list[Tensor]) -> None:
        """A single number may come from the CPU, as on a real device."""
        if any(map(is_there, tensors)) and any(not is_there(tensor) and tensor.dim() for tensor in tensors):
            raise RuntimeError(f"Expected all tensors to be on the same device, but found {DEVICE} and cpu in {name}")


def _copied(parameter: nn.Parameter, memo: dict[int, Any]) -> nn.Parameter:
    """Beside what it is a copy of."""
    found = _COPY(parameter, memo)
    setattr(found, _MARK, is_there(parameter))
    return found


def _made(kind: type[nn.Parameter], data: Tensor | None = None, requires_grad: bool = True) -> nn.Parameter:
    """Where its data are."""
    found = _NEW(kind, data, requires_grad)
    setattr(found, _MARK, is_there(data))
    return found


def _module_to(module: nn.Module, *args: Any, **kwargs: Any) -> nn.Module:
    """To a device, to a dtype, or to where a tensor is."""
    where = [one for one in [*args, *kwargs.values()] if isinstance(one, (str, torch.device, Tensor))]
    if not where:
        return _TO(module, *args, **kwargs)
    onto = is_there(where[0]) or (not isinstance(where[0], Tensor) and torch.device(where[0]).type == DEVICE.type)
    for tensor in [*module.parameters(), *module.buffers()]:
        if isinstance(where[0], Tensor) and tensor.is_floating_point():
            tensor.data = tensor.data.to(where[0].dtype)
        setattr(tensor, _MARK, onto)
    return module


_NEW, _COPY, _TO = nn.Parameter.__new__, nn.Parameter.__deepcopy__, nn.Module.to
_OTHERS = {
    (nn.Parameter, "__new__"): _made,
    (nn.Parameter, "__deepcopy__"): _copied,
    (nn.Module, "to"): _module_to,
    (torch.cuda, "get_rng_state"): lambda device=None: torch.get_rng_state(),
    (torch.cuda, "set_rng_state"): lambda state, device=None: None,
}
"""What torch's functions do not tell a mode, while there is the pretended device."""
_OWN = {(place, name): getattr(place, name) for place, name in _OTHERS}


def _destination(args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any], bool]:
    """(arguments of `Tensor.to` for the CPU, whether the result is on the device)."""
    first, *rest = args
    onto, kept = is_there(first), []
    for value in [*rest, kwargs.pop("other", None), kwargs.pop("device", None)]:
        if isinstance(value, (str, torch.device)):
            onto = torch.device(value).type == DEVICE.type
        elif isinstance(value, Tensor):
            onto = is_there(value)
            kept.append(value.dtype)
        elif value is not None:
            kept.append(value)
    return (first, *kept), kwargs, onto
