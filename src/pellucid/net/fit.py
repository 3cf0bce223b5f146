"""Weights into a network: all of them, or none and the reason."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from torch import Tensor, nn

from pellucid.errors import BadNetwork
from pellucid.net.names import COUNTER, few, renamed


def fitted(
    module: nn.Module,
    state: Mapping[str, Tensor],
    *,
    file: str,
    name: str,
    say: Callable[[str], object] = lambda _: None,
) -> nn.Module:
    """A copy of `module` with the weights `state`, whose names may carry wrappers (`module.`, `features._orig_mod.`).

    Numbers are converted to the network's type. Raises BadNetwork if one tensor is missing, left over or of
    another shape; nothing is ever loaded in part. `file` and `name` are for that message. What was left out of the
    names is handed to `say`.
    """
    try:
        module = copy.deepcopy(module)
    except Exception as error:
        raise BadNetwork(f"{name} cannot be copied, so no other weights can be put into it: {error}") from error
    module.load_state_dict(module.state_dict() | matched(module, state, file=file, name=name, say=say))
    return module


def matched(
    module: nn.Module,
    state: Mapping[str, Tensor],
    *,
    file: str,
    name: str,
    say: Callable[[str], object] = lambda _: None,
) -> dict[str, Tensor]:
    """The weights `state` under the names of `module`, all of them. Raises BadNetwork as `fitted` does."""
    want = {key: tensor for key, tensor in module.state_dict().items() if isinstance(tensor, Tensor)}
    known, without = renamed(state, want, file)
    have = _completed(known, want)
    missing = [key for key in want if key not in have]
    extra = [key for key in have if key not in want]
    shapes = [key for key in want if key in have and have[key].shape != want[key].shape]
    kinds = [key for key in want if key in have and have[key].is_floating_point() != want[key].is_floating_point()]
    if not (missing or extra or shapes or kinds):
        if without:
            say(f"weights fit without {without}")
        return have
    if not any(key in have for key in want if not key.endswith(COUNTER)):
        raise BadNetwork(
            f"{file!r} holds weights of another network: it has {few(list(have))}, {name} has {few(list(want))}"
        )
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing ({few(missing)})")
    if extra:
        parts.append(f"{len(extra)} not of this network ({few(extra)})")
    if shapes:
        one = [f"{key}: {_size(have[key])} in the file, {_size(want[key])} here" for key in shapes]
        parts.append(f"{len(shapes)} of another shape ({few(one, '; ')})")
    if kinds:
        one = [f"{key}: {have[key].dtype} in the file, {want[key].dtype} here" for key in kinds]
        parts.append(f"{len(kinds)} of another type ({few(one, '; ')})")
    raise BadNetwork(
        f"{file!r} does not fit {name}: of {len(want)} tensors, {', '.join(parts)}{_hint(have, want, shapes)}"
    )


def _completed(state: dict[str, Tensor], want: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the counters that nothing reads, and with tensors that the network holds under two names."""
    state = {key: tensor for key, tensor in state.items() if key in want or not key.endswith(COUNTER)}
    places = {(want[key].data_ptr(), want[key].shape): key for key in state if key in want and want[key].numel()}
    for key, tensor in want.items():
        if key.endswith(COUNTER):
            state.setdefault(key, tensor)
        elif key not in state and (twin := places.get((tensor.data_ptr(), tensor.shape))):
            state[key] = state[twin]
    return state


def _hint(have: Mapping[str, Tensor], want: Mapping[str, Tensor], shapes: list[str]) -> str:
    """How to go on where only the last layer, the number of classes, differs."""
    heads = [key for key in shapes if have[key].dim() >= 2 and want[key].dim() >= 2]
    if len(heads) != 1 or have[heads[0]].shape[1:] != want[heads[0]].shape[1:]:
        return ""
    theirs, ours = len(have[heads[0]]), len(want[heads[0]])
    return (
        f"; the checkpoint's last layer has {theirs} outputs, the network's {ours}: "
        f"give a module made with num_classes={theirs}"
    )


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
