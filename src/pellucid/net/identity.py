"""Which weights a network has: a SHA-256 that is made anew only when a cheap checksum of all weights has changed.

Edits through `.data` leave no trace that a cache could go by, so every weight is read each time, at the speed of memory
and on its own device; the checksum is no secret, and is compared within one process alone.
"""

from __future__ import annotations

import hashlib
import weakref
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.net.conduct import Conduct
from pellucid.result import versions

Weights = list[tuple[str, Tensor]]
_WIDTH, _ROWS = 2039, 64
"""Words of a row, and rows of a block. A prime: usual filters are no whole number of rows, so that an exchange of two
is seen."""
_SMALL = 2**15
"""Bytes of the tensors that are summed together, since each one by itself would cost more than its numbers."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE = 2**24
"""Bytes that are mixed together on other devices than the CPU: more would need as much again for the arithmetic."""

_known: weakref.WeakKeyDictionary[nn.Module, tuple[Any, str]] = weakref.WeakKeyDictionary()


def machine(net: Any) -> list[Any]:
    """What the last bits of an answer depend on besides network and data: device, threads, versions."""
    return [str(net.device), torch.get_num_threads(), versions()]


def weights_of(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and values of all parameters and buffers."""
    with Conduct.of(module).lock:  # other weights may stand in its places while another thread runs it
        weights = list(_named(module.state_dict(keep_vars=True)))
    sums = checksum(weights)
    known = _known.get(module)
    if known is None or known[0] != sums:
        known = _known[module] = sums, sha256(weights)
    return known[1]


def sha256(weights: Weights) -> str:
    """Of names, types, shapes and values, wherever the tensors lie and in whichever order of axes."""
    digest = hashlib.sha256()
    for name, tensor in weights:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        for part in _parts(tensor):
            digest.update(_bytes(part.detach().cpu().contiguous()).data)
    return digest.hexdigest()


def checksum(weights: Weights) -> tuple[Any, ...]:
    """What changes whenever a weight does, but for a coincidence; another one on another device."""
    found, described, small, elsewhere = 0, [], dict[torch.dtype, list[Tensor]](), dict[torch.device, list[Tensor]]()
    for name, tensor in _dense(weights):
        where = tensor.device
        described.append((name, tensor.dtype, tensor.shape, tensor.stride(), where))
        if where.type == "cpu" and tensor.numel() * tensor.element_size() <= _SMALL:
            small.setdefault(tensor.dtype, []).append(_flat(tensor))
        elif where.type == "cpu":
            found = _summed(_bytes(tensor), found)
        elif where.type != "meta":
            elsewhere.setdefault(where, []).append(tensor)
    for tensors in small.values():
        found = _summed(_bytes(torch.cat(tensors)), found)
    return (*described, found, *map(_mixed, elsewhere.values()))


def raw(tensor: Tensor) -> bytes:
    """The numbers of a tensor of any type and layout, as they lie in memory."""
    return b"".join(_bytes(part.detach().cpu().contiguous()).tobytes() for part in _parts(tensor))


def _named(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors of a state; quantized layers keep theirs in tuples."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _named(part, str(key) if not name else f"{name}.{key}")
    elif isinstance(value, (tuple, list)):
        for i, part in enumerate(value):
            yield from _named(part, f"{name}.{i}")


def _parts(tensor: Tensor) -> list[Tensor]:
    """A tensor as dense ones: of a sparse one its places and values, of a quantized one its whole numbers."""
    tensor = tensor.detach()
    if tensor.device.type == "meta":
        return []
    if tensor.layout == torch.sparse_coo:
        tensor = tensor.coalesce()
        return [tensor.indices(), tensor.values()]
    if tensor.layout != torch.strided:
        return _parts(tensor.to_sparse_coo())
    return [tensor.int_repr() if tensor.is_quantized else tensor]


def _dense(weights: Weights) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in weights:
        for part in _parts(tensor) or [tensor]:
            yield name, part


def _bytes(tensor: Tensor) -> NDArray[np.uint8]:
    """The memory of a dense tensor, in the order in which it lies there."""
    flat: NDArray[np.uint8] = _flat(tensor).view(torch.uint8).numpy()
    return flat


def _flat(tensor: Tensor) -> Tensor:
    """All numbers of a tensor along one axis, without a copy where its memory has no gaps."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    whole = tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
    if whole and not tensor.is_contiguous() and tensor.storage_offset() == 0 and 0 not in tensor.stride():
        return tensor.as_strided((tensor.numel(),), (1,))  # channels last, transposed: any order of axes will do
    return tensor.contiguous().reshape(-1)


def _summed(memory: NDArray[np.uint8], before: int) -> int:
    """A checksum of bytes on the CPU, as fast as memory is read."""
    rows = memory.size // (8 * _WIDTH)
    if rows:
        words = memory[: rows * 8 * _WIDTH].view(np.uint64).reshape(rows, _WIDTH)
        sums = np.zeros(_WIDTH, np.uint64)
        for start in range(0, rows, _ROWS):
            sums *= _ODD  # so that the order of blocks counts; an odd number, and nothing is lost
            sums += np.add.reduce(words[start : start + _ROWS], 0)
        before = zlib.crc32(sums.data, before)
        memory = memory[rows * 8 * _WIDTH :]
    return zlib.crc32(memory.data, before)


def _mixed(tensors: list[Tensor]) -> tuple[int, ...]:
    """A checksum of tensors on a device, made there: each word is mixed with its place, and all are summed."""
    sums, portion, size = [], list[Tensor](), 0
    for tensor in tensors:
        memory = _flat(tensor).view(torch.uint8)
        portion.append(memory)
        size += len(memory)
        if size >= _AT_ONCE:
            sums.append(_mix(torch.cat(portion)))
            portion, size = [], 0
    if portion:
        sums.append(_mix(torch.cat(portion)))
    return tuple(torch.stack(sums).tolist()) if sums else ()


def _mix(memory: Tensor) -> Tensor:
    words = torch.cat([memory, memory.new_zeros(-len(memory) % 8)]).view(torch.int64)
    place = torch.arange(len(words), device=words.device)
    mixed = (words ^ (place * -7046029254386353131)) * -4658895280553007687  # odd numbers: nothing is lost
    return (mixed ^ (mixed >> 29)).sum()
