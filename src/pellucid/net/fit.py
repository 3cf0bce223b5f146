"""Weights into a network: all of them, or none and the reason."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from pellucid.errors import BadNetwork

_COUNTER = "num_batches_tracked"  # old checkpoints lack it, and nothing but training reads it
_SHOWN = 3


def fitted(module: nn.Module, state: Mapping[str, Tensor], *, file: str, name: str) -> nn.Module:
    """A copy of `module` with the weights `state`, whose names may all carry a prefix (`module.`, `net.`).

    Numbers are converted to the network's type. Raises BadNetwork if one tensor is missing, left over or of
    another shape; nothing is ever loaded in part. `file` and `name` are for that message.
    """
    try:
        module = copy.deepcopy(module)
    except Exception as error:
        raise BadNetwork(f"{name} cannot be copied, so no other weights can be put into it: {error}") from error
    want = {key: tensor for key, tensor in module.state_dict().items() if isinstance(tensor, Tensor)}
    have = _completed(_renamed(state, want, file), want)
    missing = [key for key in want if key not in have]
    extra = [key for key in have if key not in want]
    shapes = [key for key in want if key in have and have[key].shape != want[key].shape]
    kinds = [key for key in want if key in have and have[key].is_floating_point() != want[key].is_floating_point()]
    if not (missing or extra or shapes or kinds):
        module.load_state_dict(module.state_dict() | have)
        return module
    if not any(key in have for key in want if not key.endswith(_COUNTER)):
        raise BadNetwork(
            f"{file!r} holds weights of another network: it has {_few(list(have))}, {name} has {_few(list(want))}"
        )
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing ({_few(missing)})")
    if extra:
        parts.append(f"{len(extra)} not of this network ({_few(extra)})")
    if shapes:
        one = [f"{key}: {_size(have[key])} in the file, {_size(want[key])} here" for key in shapes]
        parts.append(f"{len(shapes)} of another shape ({_few(one, '; ')})")
    if kinds:
        one = [f"{key}: {have[key].dtype} in the file, {want[key].dtype} here" for key in kinds]
        parts.append(f"{len(kinds)} of another type ({_few(one, '; ')})")
    raise BadNetwork(
        f"{file!r} does not fit {name}: of {len(want)} tensors, {', '.join(parts)}{_hint(have, want, shapes)}"
    )


def _renamed(state: Mapping[str, Tensor], want: Mapping[str, Tensor], file: str) -> dict[str, Tensor]:
    """The tensors under the network's names, if one common prefix makes the difference; else as they are."""
    keys = [key for key in want if not key.endswith(_COUNTER)]
    if not keys or not state or any(key in state for key in keys):
        return dict(state)
    prefixes = {key.removesuffix(keys[0]) for key in state if key.endswith(f".{keys[0]}")}
    shares = {prefix: sum(prefix + key in state for key in keys) for prefix in prefixes}
    best = [prefix for prefix, share in shares.items() if share == max(shares.values())]
    if len(best) > 1:
        raise BadNetwork(f"{file!r} holds {len(best)} networks that would fit ({_few(best)}): save one of them alone")
    if best:
        # What lies outside the prefix belongs to something else, such as a loss with weights of its own.
        return {key.removeprefix(best[0]): tensor for key, tensor in state.items() if key.startswith(best[0])}
    first = next((key for key in state if not key.endswith(_COUNTER)), "")
    around = {key.removesuffix(first) for key in keys if key.endswith(f".{first}")}
    for prefix in around:
        if all(prefix + key in want for key in state):
            return {prefix + key: tensor for key, tensor in state.items()}
    return dict(state)


def _completed(state: dict[str, Tensor], want: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the counters that nothing reads, and with tensors that the network holds under two names."""
    state = {key: tensor for key, tensor in state.items() if key in want or not key.endswith(_COUNTER)}
    places = {(want[key].data_ptr(), want[key].shape): key for key in state if key in want and want[key].numel()}
    for key, tensor in want.items():
        if key.endswith(_COUNTER):
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


def _few(names: list[str], between: str = ", ") -> str:
    return between.join(names[:_SHOWN]) + (f"{between}…" if len(names) > _SHOWN else "")


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
