"""The network as it is while it is looked at, and how everything about it comes to be as before.

Evaluation mode, frozen parameters, buffers, attributes, random generators: each undo is pushed at the moment of doing,
so that a pass that raises leaves the module as it was, bit for bit.
"""

from __future__ import annotations

import copy
import operator
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.parameter import is_lazy
from torch.utils import checkpoint as checkpointing

from pellucid.ambient import neutral, redirected
from pellucid.errors import BadNetwork
from pellucid.net.conduct import Conduct, foreign_hooks
from pellucid.net.weights import Reweighted, original_of

_SEED = 0
_KINDS = {torch.Generator, np.random.Generator, np.random.RandomState, random.Random}
"""Kinds of attributes that a forward pass moves without their being replaced."""


@contextmanager
def undisturbed(module: nn.Module, *, frozen: bool = True) -> Iterator[Conduct]:
    """Evaluation mode inside, and parameters frozen; everything as before afterwards, also torch's own state.

    Not `frozen` is for backward passes: whatever runs forward once more in them (activation checkpointing of the
    network's own, equilibrium layers) finds its parameters as its author left them, and what it adds to their
    gradients is taken away again. Raises BadNetwork where the network has no weights to run with.
    """
    with ExitStack() as undo:
        undo.enter_context(neutral())
        known = Conduct.of(module)
        undo.enter_context(known.lock)
        original = original_of(module)
        parts = modules(original)
        given = frozenset[int]()
        if isinstance(module, Reweighted):
            undo.enter_context(module.in_place())
            given = frozenset(map(id, module.values.values()))
        if redirected():  # a network that makes tensors in its forward makes them on its own device
            undo.enter_context(torch.device(next((p.device for p in module.parameters()), torch.device("cpu"))))
        undo.enter_context(_uncheckpointed(known))
        known.hooks = foreign_hooks(original, parts)
        undo.enter_context(_attributes(known, parts, module.parts() if isinstance(module, Reweighted) else []))
        undo.enter_context(_evaluating(parts))
        undo.enter_context(_parameters(parts, frozen, given))
        undo.enter_context(_buffers(parts))
        undo.enter_context(_drawing(known, module))  # last: only what the pass itself draws is its own
        yield known


def modules(module: nn.Module) -> list[nn.Module]:
    """The module and all inside it, each once; `modules()` makes a name for each, and takes four times as long."""
    found = {id(module): module}
    left = [module]
    while left:
        for part in left.pop()._modules.values():
            if part is not None and id(part) not in found:
                found[id(part)] = part
                left.append(part)
    return list(found.values())


def computed_weight(module: nn.Module, part: nn.Module) -> Tensor:
    """A copy of the weights that a part of the network works with, however it comes by them.

    Spectral norm moves its vectors when the weights are merely read, in training mode; weight norm and pruning of the
    old style compute them in a hook ahead of every pass, and until then the part has those of the last one.
    """
    with undisturbed(module), torch.no_grad():
        hooks: Any = part._forward_pre_hooks
        for hook in list(hooks.values()):
            if type(hook).__module__.startswith("torch.nn.utils."):
                hook(part, ())
        weight: Any = part.weight
        return torch.as_tensor(weight).detach().clone()


@contextmanager
def _evaluating(parts: list[nn.Module]) -> Iterator[None]:
    trained = [part for part in parts if part.training]
    try:
        _set_training(trained, False)
        yield
    finally:
        _set_training(trained, True)


def _set_training(parts: list[nn.Module], training: bool) -> None:
    for part in parts:
        vars(part)["training"] = training  # as `part.training = …` does, without its search for parameters


@contextmanager
def _parameters(parts: list[nn.Module], frozen: bool, given: frozenset[int]) -> Iterator[None]:
    """Frozen, or with their gradients set aside. Those made under inference mode are replaced by copies, for autograd
    may not keep the ones, and to switch their `requires_grad` off is for good. Those that somebody has `given` (by id)
    are never frozen: they may ask for the gradient by them.
    """
    with ExitStack() as undo:
        copies: dict[int, nn.Parameter] = {}
        thawed: list[nn.Parameter] = []
        undo.callback(_set_requires_grad, thawed, True)
        for part in parts:
            for name, p in part._parameters.items():
                if p is None:
                    continue
                if type(p) is not nn.Parameter and is_lazy(p):
                    raise unready(part)
                if p.is_inference():
                    if id(p) not in copies:
                        copies[id(p)] = nn.Parameter(p.detach().clone(), requires_grad=False)
                    undo.callback(part._parameters.__setitem__, name, p)
                    part._parameters[name] = copies[id(p)]
                elif p.is_meta and not hasattr(part, "_hf_hook"):  # whose owner brings the weights when it runs
                    raise BadNetwork(
                        f"parameter {name!r} of a {type(part).__name__} is on the meta device: the network has no "
                        "weights; make it on a real device, or give it some: module.to_empty(device='cpu') and then "
                        "module.load_state_dict(…)"
                    )
                elif (frozen and id(p) in given) or not p.is_leaf:
                    continue
                elif frozen and p.requires_grad:
                    thawed.append(p)
                    p.requires_grad_(False)
                elif not frozen and p.requires_grad:
                    thawed.append(p)
        if not frozen:
            undo.enter_context(_ungraded(thawed.copy()))
            thawed.clear()
        yield


@contextmanager
def _ungraded(parameters: list[nn.Parameter]) -> Iterator[None]:
    """What is added to their gradients is taken away again."""
    before = [(p, p.grad) for p in parameters if p.grad is not None]
    try:
        for p, _ in before:
            p.grad = None
        yield
    finally:
        for p in parameters:
            if p.grad is not None:
                p.grad = None
        for p, grad in before:
            p.grad = grad


def unready(part: nn.Module) -> BadNetwork:
    """The answer where a layer waits for its first input to know its shape."""
    return BadNetwork(
        f"the network has a {type(part).__name__} that has no weights yet: run one batch of images through it first, "
        "module(images), and then ask"
    )


def _set_requires_grad(parameters: list[nn.Parameter], requires_grad: bool) -> None:
    for parameter in parameters:
        parameter.requires_grad_(requires_grad)


@contextmanager
def _buffers(parts: list[nn.Module]) -> Iterator[None]:
    """Copies in the places of all buffers, for a batch norm without statistics of its own, or a counter in forward,
    writes into them in evaluation mode too. Not a copy that is written back: graphs hold what the pass has used.
    A gradient flows to those that ask for one.
    """
    places = [(part._buffers, name, b) for part in parts for name, b in part._buffers.items() if b is not None]
    copies: dict[int, Tensor] = {}
    try:
        for buffers, name, buffer in places:
            if id(buffer) not in copies:
                with torch.set_grad_enabled(buffer.requires_grad):
                    copies[id(buffer)] = buffer.clone()
            buffers[name] = copies[id(buffer)]
        yield
    finally:
        for buffers, name, buffer in places:
            buffers[name] = buffer


@contextmanager
def _attributes(known: Conduct, parts: list[nn.Module], exchanged: list[nn.Module]) -> Iterator[None]:
    """What a forward pass notes down on its modules is gone afterwards, and with it the graph that hangs on it.

    Modules of torch note nothing down, but where their weights are computed by hooks, or are `exchanged`: an LSTM keeps
    a list of those of its last pass.
    """
    also = set(map(id, exchanged))
    own = [
        vars(part)
        for part in parts
        if part._forward_pre_hooks or id(part) in also or not type(part).__module__.startswith("torch.nn.")
    ]
    before = [(now, now.copy()) for now in own]
    try:
        for now, then in before:
            if not _KINDS.isdisjoint(map(type, then.values())):  # each pass begins with the same numbers, and uses none
                known.draws = True
                now.update({name: _copied(value) for name, value in then.items() if type(value) in _KINDS})
        yield
    finally:
        for now, then in before:
            if len(now) != len(then) or not all(map(operator.is_, now.values(), then.values())):
                now.clear()
                now.update(then)


def _copied(generator: Any) -> Any:
    return generator.clone_state() if isinstance(generator, torch.Generator) else copy.deepcopy(generator)


@contextmanager
def _drawing(known: Conduct, module: nn.Module) -> Iterator[None]:
    """The global generators as before afterwards; of a network that draws from them, with one seed for every pass."""
    generators = _global_generators(module)
    before = [(name, get, put, get()) for name, get, put, _ in generators]
    seeded, known.suspected = known.draws, ()
    try:
        if seeded:
            for _, _, _, seed in generators:
                seed(_SEED)
        yield
    finally:
        moved = [(name, put, then) for name, get, put, then in before if seeded or not _same(get(), then)]
        for _, put, then in moved:
            put(then)
        known.suspected = () if seeded else tuple(name for name, _, _ in moved)


Generators = list[tuple[str, Callable[[], Any], Callable[[Any], Any], Callable[[int], Any]]]


def _global_generators(module: nn.Module) -> Generators:
    """(name, get the state, put it, seed it) of all that a forward pass may draw from."""
    found: Generators = [
        ("torch", torch.get_rng_state, torch.set_rng_state, torch.default_generator.manual_seed),
        ("numpy", np.random.get_state, np.random.set_state, np.random.seed),
        ("python", random.getstate, random.setstate, random.seed),
    ]
    if torch.cuda.is_initialized():  # otherwise nothing can be there, and asking every parameter takes longer
        for index in sorted({p.device.index or 0 for p in module.parameters() if p.device.type == "cuda"}):
            one = torch.cuda.default_generators[index]
            found.append(("cuda", one.get_state, one.set_state, one.manual_seed))
    return found


def _same(now: Any, then: Any) -> bool:
    if isinstance(now, Tensor):
        return torch.equal(now, then)
    if len(now) == 5:  # numpy's: name, keys, position, and the second number of a pair that is kept
        return bool(now[2:] == then[2:] and np.array_equal(now[1], then[1]))
    return bool(now == then)


_plain: dict[int, list[Conduct]] = {}
"""Thread -> the networks that it runs."""
_plain_lock = threading.Lock()
_generators = ("_checkpoint_without_reentrant_generator", "_checkpoint_without_reentrant_generator_impl")


@contextmanager
def _uncheckpointed(known: Conduct) -> Iterator[None]:
    """torch.utils.checkpoint runs what it is given, and nothing again during the backward pass; for this thread alone.

    Modules hold their own reference to `checkpoint`, so what it calls is replaced, while any thread is in here.
    Memory is budgeted by images at a time. Otherwise layers inside would be met twice, rules act on one of the two
    passes, and the one kind refuses `torch.autograd.grad`.
    """
    here = threading.get_ident()
    with _plain_lock:
        if not _plain:
            _switch_checkpoints_off()
        _plain.setdefault(here, []).append(known)
    try:
        yield
    finally:
        with _plain_lock:
            _plain[here].pop()
            if not _plain[here]:
                del _plain[here]
            if not _plain:
                _switch_checkpoints_on()


def _apply(cls: Any, run: Callable[..., Any], preserve: bool, *args: Any) -> Any:
    if threading.get_ident() in _plain:
        return run(*args)
    return super(checkpointing.CheckpointFunction, cls).apply(run, preserve, *args)


def _either(original: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
    def generator(*args: Any, **kwargs: Any) -> Iterator[None]:
        return _nothing() if threading.get_ident() in _plain else original(*args, **kwargs)

    return generator


def _nothing() -> Iterator[None]:
    """What is done before and after a function that is not checkpointed."""
    yield


_originals = {name: getattr(checkpointing, name) for name in _generators if hasattr(checkpointing, name)}
_instead = {name: _either(original) for name, original in _originals.items()}
_apply_instead: Any = classmethod(_apply)
_enter = saved_tensors_hooks.__enter__


def _enter_noted(self: saved_tensors_hooks) -> None:
    """A network that packs what it saves by itself is known by it."""
    for known in _plain.get(threading.get_ident(), ()):
        known.replays = True
    _enter(self)


def _switch_checkpoints_off() -> None:
    checkpointing.CheckpointFunction.apply = _apply_instead
    saved_tensors_hooks.__enter__ = _enter_noted  # type: ignore[method-assign]
    for name, function in _instead.items():
        setattr(checkpointing, name, function)


def _switch_checkpoints_on() -> None:
    del checkpointing.CheckpointFunction.apply  # that of every autograd function shows again
    saved_tensors_hooks.__enter__ = _enter  # type: ignore[method-assign]
    for name, original in _originals.items():
        setattr(checkpointing, name, original)
