"""The only module that registers and removes hooks on a network: forward and backward passes.

Everything here has the life of a `with` block: each undo is pushed at the moment of doing, so that a forward
pass that raises leaves the module as it was, bit for bit.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.ambient import neutral
from pellucid.errors import (
    BadNetwork,
    NotRun,
    OutOfMemory,
    PellucidError,
    Refused,
    UnknownName,
    is_out_of_memory,
    unknown,
)
from pellucid.net.axes import Axes
from pellucid.net.clips import Clips, Watcher
from pellucid.net.conduct import ONE_BY_ONE, Conduct, Suspicion, same
from pellucid.net.failures import failure, runs_python, stops
from pellucid.net.guard import undisturbed
from pellucid.net.midway import midway
from pellucid.net.rules import Met, Rule, RuleMode, hidden_functions
from pellucid.progress import stop_point

Edit = Callable[[Tensor], Tensor]
Called = Callable[[Any, Any, Any], None]
"""called(function, its arguments by position, what it returned)"""


def lock_of(module: nn.Module) -> threading.RLock:
    """One lock per module, whoever asks: two Nets around one module must not corrupt each other."""
    lock: threading.RLock = Conduct.of(module).lock
    return lock


def forward(
    module: nn.Module,
    inputs: Tensor,
    *,
    at: Iterable[str] = (),
    edit: Mapping[str, Edit] | None = None,
    rule: Rule | None = None,
    grad: bool = False,
    stop: bool = False,
    axes: Mapping[str, Axes] | None = None,
    listener: Called | None = None,
) -> tuple[Any, dict[str, Tensor], dict[Met, int]]:
    """One forward pass: (what the module returned, activations by the names in `at`, rule coverage).

    With `grad`, activations are nodes of the graph: the first ones that depend on no gradient yet become its
    leaves, so nothing in front of them is recorded. What is handed out is never what later in-place operations
    rewrite: the network continues on a copy. With `stop` the pass ends as soon as all of `at` are there, and
    nothing is returned for the network's output. Layers in `axes` are handed out, and given to their edits, with
    channels, rows and columns where everybody looks for them. `listener` is told of every call of a function of torch.
    """
    wanted, edits = list(dict.fromkeys(at)), dict(edit or {})
    taps = _Taps(module, wanted, edits, grad, stop and bool(wanted), axes=axes)
    if rule is not None and any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise Refused(f"the {rule.name} rule cannot reach into TorchScript: load the Python module it was made from")
    mode = RuleMode(rule, inputs) if rule is not None else None
    heard = _Heard(listener) if listener is not None else nullcontext()
    with undisturbed(module) as known, taps.hung(), torch.set_grad_enabled(grad), mode or nullcontext(), heard:
        try:
            output = called(module, inputs)
        except _Enough:
            output = None
    if known.suspected and not edits and _draws(module, inputs):  # again, as every pass from now on will be
        return forward(module, inputs, at=wanted, rule=rule, grad=grad, stop=stop, axes=axes, listener=listener)
    taps.check()
    coverage = {**mode.coverage, **hidden_functions(output)} if mode else {}
    return output, taps.found, coverage


class _Heard(TorchFunctionMode):
    """Reports every call of a function of torch; entered after a rule, so that it sees what the network called."""

    def __init__(self, listener: Called) -> None:
        super().__init__()
        self.listener = listener

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self.listener(func, args, output)
        return output


def _draws(module: nn.Module, inputs: Tensor) -> bool:
    """Whether it was the network that moved the global generators: another thread may have done so."""
    known, seen = Conduct.of(module), Suspicion(inputs)
    if known.cleared or known.draws:
        return bool(known.draws)
    with undisturbed(module), torch.no_grad():
        with _Watching(seen):
            called(module, inputs)
        runs = []
        for seed in range(2):  # what torch does not see: numpy's numbers, and Python's
            np.random.seed(seed)  # noqa: NPY002  # the one that the network may draw from
            random.seed(seed)
            runs.append(called(module, inputs))
    known.draws = seen.draws or not same(*runs)
    known.cleared = not known.draws
    return bool(known.draws)


def gradients(
    module: nn.Module,
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    allow_unused: bool = False,
    ruled: bool = False,
    **graph: Any,
) -> tuple[Any, ...]:
    """`torch.autograd.grad`, with the network as in its forward pass, parts of which may run again in this one.

    `ruled`: its forward pass was under a rule, which knows nothing of passes inside the backward pass; refused then.
    """
    stop_point()
    opaque, asked = Conduct.of(module).opaque, [inputs] if isinstance(inputs, Tensor) else inputs
    if opaque and stops(outputs):
        raise Refused(
            f"the network runs {', '.join(opaque[:3])}, which torch cannot differentiate (quantized layers are such): "
            "ask the network in floating point, or by a method without gradients, such as occlusion"
        )
    again = ruled or Conduct.of(module).replays or runs_python(outputs)
    around = undisturbed(module, frozen=False) if again else neutral()
    with around, _no_pass(module) if ruled else nullcontext():
        try:
            found = torch.autograd.grad(outputs, asked, grad_outputs, allow_unused=True, **graph)
        except PellucidError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise OutOfMemory(f"no room for the backward pass of {len(asked[0])} images") from error
            raise BadNetwork(
                f"the gradient of the network failed: {type(error).__name__}: {error}; methods that need none, such as "
                "occlusion, still work"
            ) from error
    unused = [node for node, slope in zip(asked, found, strict=True) if slope is None]
    if any(len(node) > 1 for node in unused if node.dim()) and Conduct.of(module).alone:
        raise Refused(f"{ONE_BY_ONE}: ask for the gradient by its layers image by image, net.run(images[i], …)")
    if unused and not allow_unused:
        raise Refused("what is asked for does not depend on what it should be differentiated by")
    return found


@contextmanager
def _no_pass(module: nn.Module) -> Iterator[None]:
    owner = threading.get_ident()

    def hook(part: nn.Module, _inputs: Any) -> None:
        if threading.get_ident() == owner:
            raise Refused(
                f"a {type(part).__name__} of the network runs again during the backward pass, where no rule reaches: "
                "switch its activation checkpointing off, or ask for a method without rules, such as gradient"
            )

    with ExitStack() as undo:
        for part in module.modules():
            undo.callback(part.register_forward_pre_hook(hook).remove)
        yield


def observe(
    module: nn.Module, batches: Iterable[Tensor], watch: Mapping[str, Watcher], clips: Clips | None = None
) -> None:
    """Forward passes in a row; each layer in `watch` shows what it hands on, while it is still in the cache.

    Nothing is copied or kept, and everything is hung once for all passes: for whoever reduces activations to a few
    numbers. `clips` shows what activations with a ceiling receive.
    """
    if clips is not None:
        watch = {name: clips.checking(name, one) for name, one in watch.items()}
    taps = _Taps(module, [], {}, grad=False, watch=watch)
    with undisturbed(module), taps.hung(), torch.set_grad_enabled(False), clips.met() if clips else nullcontext():
        for inputs in batches:
            taps.calls.clear()
            if clips is not None:
                clips.begin()
            called(module, inputs)
            taps.check()


def called(module: nn.Module, inputs: Tensor) -> Any:
    """What the module returns; whatever it raises becomes one line."""
    try:
        with midway(module):
            return module(inputs)
    except PellucidError:
        raise
    except Exception as error:
        raise failure(module, inputs, error) from error


class _Enough(BaseException):
    """All that was wanted is there: the rest of the pass need not run. No Exception, which a network may catch."""


class _Taps:
    """The hooks of one forward pass."""

    def __init__(
        self,
        module: nn.Module,
        wanted: list[str],
        edits: dict[str, Edit],
        grad: bool,
        stop: bool = False,
        watch: Mapping[str, Watcher] | None = None,
        axes: Mapping[str, Axes] | None = None,
    ) -> None:
        self.axes = dict(axes or {})
        self.module, self.edits, self.grad, self.stop = module, edits, grad, stop
        self.wanted, self.watch = wanted, dict(watch or {})
        self.asked = {*wanted, *edits}
        self.found: dict[str, Tensor] = {}
        self.calls: dict[str, int] = {}
        self.owner = threading.get_ident()
        self.parts: dict[str, nn.Module] = {}
        for name in [*wanted, *edits, *self.watch]:
            bare = split_call(name)[0]
            part = _part(module, bare)
            if part is None:
                raise unknown("layer", name, [name for name, _ in module.named_modules(remove_duplicate=False) if name])
            self.parts[bare] = part

    @contextmanager
    def hung(self) -> Iterator[None]:
        if isinstance(self.module, torch.jit.ScriptModule) and self.parts:
            raise Refused("a TorchScript network has no layers to look at: load the Python module it was made from")
        with ExitStack() as undo:
            for name, part in self.parts.items():
                undo.callback(part.register_forward_hook(self._hook(name)).remove)
            yield

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], Any]:
        if name in self.watch and not any(split_call(key)[0] == name for key in self.asked):
            return self._watcher(name, self.watch[name])

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if threading.get_ident() != self.owner:  # somebody else's call of the same module
                return None
            call = self.calls[name] = self.calls.get(name, 0) + 1
            keys = {name, f"{name}#{call}"}
            for key in keys & self.watch.keys():
                self.watch[key](self._turned(output, name, key)[0])
            if not keys & self.asked:
                return None
            value, put = self._turned(output, name, *keys)
            for key in keys & set(self.edits):
                value = self.edits[key](value)
            for key in keys & set(self.wanted):
                if self.grad and not value.requires_grad:
                    value = value.detach().requires_grad_()
                self.found[key] = value
            if self.stop and len(self.found) == len(self.wanted):
                raise _Enough
            return put(value.clone())

        return hook

    def _watcher(self, name: str, watch: Watcher) -> Callable[[nn.Module, Any, Any], None]:
        """The same for a layer that is watched and nothing else: there are many of them, and each is called often."""

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if threading.get_ident() == self.owner:
                self.calls[name] = self.calls.get(name, 0) + 1
                watch(output if isinstance(output, Tensor) and name not in self.axes else self._turned(output, name)[0])

        return hook

    def _turned(self, output: Any, name: str, *keys: str) -> tuple[Tensor, Callable[[Tensor], Any]]:
        """The one tensor of a layer's output with its channels, rows and columns in place, and how to put another."""
        tensor, put = only_tensor(output, name)
        axes = next((self.axes[key] for key in (name, *keys) if key in self.axes), None)
        if axes is None:
            return tensor, put
        return axes.maps(tensor), lambda value: put(axes.back(value, tensor))

    def check(self) -> None:
        """Refuse what the pass showed to be ambiguous or absent."""
        for key in [*self.wanted, *self.edits, *self.watch]:
            name, call = split_call(key)
            runs = self.calls.get(name, 0)
            if not runs:
                raise NotRun(f"layer {name!r} exists but took no part in this forward pass")
            if call is None and runs > 1:
                raise UnknownName(f"layer {name!r} runs {runs} times in a pass: say which, {name}#1 to {name}#{runs}")
            if call is not None and not 1 <= call <= runs:
                raise UnknownName(f"no call {key!r}: layer {name!r} runs {runs} time{'s' * (runs > 1)} in a pass")


def _part(module: nn.Module, name: str) -> nn.Module | None:
    """The module of that dotted name inside another; None where there is none."""
    part: nn.Module | None = module if name else None
    for step in name.split("."):
        part = part._modules.get(step) if part is not None else None
    return part


def split_call(name: str) -> tuple[str, int | None]:
    """'relu#2' -> ('relu', 2): the layer and which of its calls in a pass is meant; 'relu' -> ('relu', None)."""
    bare, mark, call = name.rpartition("#")
    return (bare, int(call)) if mark and call.isdecimal() else (name, None)


def only_tensor(output: Any, name: str) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """The one tensor of a layer's output, and how to put another into its place."""
    if isinstance(output, Tensor):
        return output, lambda value: value
    if isinstance(output, (tuple, list)) and type(output) in (tuple, list):
        places = [i for i, part in enumerate(output) if isinstance(part, Tensor)]
        if len(places) == 1:
            kind, place = type(output), places[0]
            return output[place], lambda value: kind([*output[:place], value, *output[place + 1 :]])
    raise Refused(f"layer {name!r} returns no single tensor but a {type(output).__name__}: name a layer inside it")


Watch = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]
"""watch(operation, arguments, keyword arguments, output), called after every ATen operation."""


class _Watching(TorchDispatchMode):
    def __init__(self, watch: Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # else torch imports its compiler at the first operation: Ctrl-C in there, called from C++, ends the process
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self.watch(func, args, kwargs or {}, output)
        return output


def trace(
    module: nn.Module,
    inputs: Tensor,
    watch: Watch,
    seen: Callable[[str, int, nn.Module, Any], None],
    begun: Callable[[str, tuple[Any, ...]], None] | None = None,
) -> Any:
    """Run once without gradients and report every operation to `watch` and every call of a named layer to `seen`.

    `seen(name, call, layer, output)` comes when the layer has finished: innermost first, in order of execution;
    `begun(name, inputs)` when it begins.
    """
    calls: dict[str, int] = {}

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(part: nn.Module, _inputs: Any, output: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            seen(name, calls[name], part, output)

        return note

    def beginning(name: str, begun: Callable[[str, tuple[Any, ...]], None]) -> Callable[[nn.Module, Any], None]:
        return lambda _part, given: begun(name, given)

    if isinstance(module, torch.jit.ScriptModule):
        raise Refused("a TorchScript network has no layers to look at: load the Python module it was made from")
    suspicion = Suspicion(inputs)

    def watched(*operation: Any) -> None:
        suspicion(*operation)
        watch(*operation)

    with undisturbed(module) as known, ExitStack() as undo, torch.no_grad():
        for name, part in module.named_modules():
            if name:
                undo.callback(part.register_forward_hook(hook(name)).remove)
                if begun is not None:
                    undo.callback(part.register_forward_pre_hook(beginning(name, begun)).remove)
        with _Watching(watched):
            output = called(module, inputs)
        known.traced(suspicion)
    # torch's own numbers are seen by the trace, and Python's move while types are checked
    if "numpy" in known.suspected:
        _draws(module, inputs)
    return output
