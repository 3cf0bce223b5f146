"""The names of a checkpoint's tensors as those of a network: without what wrapped it, or a part of it, at saving.

DataParallel, torch.compile, EMA, Lightning and the like each put a word into the names: `module.fc.weight`,
`features._orig_mod.0.weight`. No list of such words is kept: a word is left out where all that lies below it then fits,
and where there is only one way to do so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pellucid.errors import BadNetwork

COUNTER = "num_batches_tracked"  # old checkpoints lack it, and nothing but training reads it
SHOWN = 3

Tree = dict[str, Any]
"""Names by their parts: of each part another tree, or the whole name where it ends."""


def renamed(state: Mapping[str, Tensor], want: Mapping[str, Tensor], file: str) -> tuple[dict[str, Tensor], str]:
    """(the tensors under the network's names where wrappers make the difference, else as they are; what was done)."""
    keys = [key for key in want if not key.endswith(COUNTER)]
    if not keys or not state or all(key in state for key in keys):
        return dict(state), ""
    common, said = _prefixed(state, want, keys, file)
    if all(key in common for key in keys):
        return common, said
    for names, words in _alignments(state, want):
        found = {names[key]: tensor for key, tensor in state.items() if key in names}
        roots = tuple(f"{word}." for word in words if "." not in word)  # what lies outside is something else's
        found |= {key: tensor for key, tensor in state.items() if key not in names and key.startswith(roots or "")}
        if _whole(found, want, keys):
            return found, f"{', '.join(words)} in the names of {Path(file).name!r}"
    return common, said


def _whole(found: Mapping[str, Tensor], want: Mapping[str, Tensor], keys: list[str]) -> bool:
    """Whether every tensor of the network is among them, under one of the names that it goes by."""
    held = {(want[key].data_ptr(), want[key].shape) for key in keys if key in found}
    return all(key in found or (want[key].data_ptr(), want[key].shape) in held for key in keys)


def _prefixed(
    state: Mapping[str, Tensor], want: Mapping[str, Tensor], keys: list[str], file: str
) -> tuple[dict[str, Tensor], str]:
    """The same where one prefix, of all names in the file or of all in the network, makes the difference."""
    if any(key in state for key in keys):
        return dict(state), ""
    prefixes = {key.removesuffix(keys[0]) for key in state if key.endswith(f".{keys[0]}")}
    shares = {prefix: sum(prefix + key in state for key in keys) for prefix in prefixes}
    best = [prefix for prefix, share in shares.items() if share == max(shares.values())]
    if len(best) > 1:
        raise BadNetwork(f"{file!r} holds {len(best)} networks that would fit ({few(best)}): save one of them alone")
    if best:
        # What lies outside the prefix belongs to something else, such as a loss with weights of its own.
        found = {key.removeprefix(best[0]): tensor for key, tensor in state.items() if key.startswith(best[0])}
        return found, f"{best[0].rstrip('.')} in the names of {Path(file).name!r}"
    first = next((key for key in state if not key.endswith(COUNTER)), "")
    around = {key.removesuffix(first) for key in keys if key.endswith(f".{first}")}
    for prefix in around:
        if all(prefix + key in want for key in state):
            return {
                prefix + key: tensor for key, tensor in state.items()
            }, f"{prefix.rstrip('.')} in the network's names"
    return dict(state), ""


def _alignments(state: Mapping[str, Tensor], want: Mapping[str, Tensor]) -> Iterable[tuple[dict[str, str], list[str]]]:
    """(name in the file -> name in the network, wrappers left out): those of the file, or those of the network."""
    have, here = _tree(state), _tree(want)
    if have is None or here is None:
        return
    yield _aligned(have, here, "")
    back, words = _aligned(here, have, "")
    yield {theirs: ours for ours, theirs in back.items()}, words


def _tree(names: Iterable[str]) -> Tree | None:
    """None where a name goes on behind another, which no module makes."""
    tree: Tree = {}
    for name in names:
        *path, last = name.split(".")
        at = tree
        for part in path:
            below = at.setdefault(part, {})
            if isinstance(below, str):
                return None
            at = below
        if last in at:
            return None
        at[last] = name
    return tree


def _aligned(have: Tree, want: Tree, place: str) -> tuple[dict[str, str], list[str]]:
    """(name -> name, words left out of `have`) for as many as fit."""
    names: dict[str, str] = {}
    words: list[str] = []
    if not have.keys() & want.keys():
        inner = {
            word: _aligned(below, want, f"{place}{word}.") for word, below in have.items() if isinstance(below, dict)
        }
        most = max((len(found) for found, _ in inner.values()), default=0)
        best = [word for word, (found, _) in inner.items() if most and len(found) == most]
        if len(best) == 1:
            found, deeper = inner[best[0]]
            return found, [f"{place}{best[0]}", *deeper]
        return names, words
    for part in have.keys() & want.keys():
        one, other = have[part], want[part]
        if isinstance(one, str) and isinstance(other, str):
            names[one] = other
        elif isinstance(one, dict) and isinstance(other, dict):
            found, deeper = _aligned(one, other, f"{place}{part}.")
            names |= found
            words += deeper
    return names, sorted(words)


def few(names: list[str], between: str = ", ") -> str:
    """The first of many names."""
    return between.join(names[:SHOWN]) + (f"{between}…" if len(names) > SHOWN else "")
