"""Very large images: autograd's saved tensors are offloaded to a temporary file above a limit of memory."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import torch
from torch import Tensor

from pellucid.errors import BadNetwork

_WORTH = 2**20
"""Bytes of the smallest tensor that goes to disk."""


@contextmanager
def offloading(most: int) -> Iterator[None]:
    """Within, the first `most` bytes that autograd saves stay in memory, and larger tensors after that go to disk.

    The file has no name: it is gone when the graph is, also after a crash. The numbers that come back are the
    same bits; only the time differs.
    """
    held, shelves = 0, list[_TempFile]()

    def pack(saved: Tensor) -> Any:
        nonlocal held
        size = saved.numel() * saved.element_size()
        if size < _WORTH or held + size <= most or isinstance(saved, torch.nn.Parameter) or saved.device.type != "cpu":
            held += size
            return saved, saved._version
        if not shelves:
            shelves.append(_TempFile())
        return _Shelved(shelves[0], saved)

    def unpack(kept: _Shelved | tuple[Tensor, int]) -> Tensor:
        if isinstance(kept, _Shelved):
            return kept.read()
        saved, version = kept
        if saved._version != version:  # autograd's own check, which hooks switch off
            raise BadNetwork("the network overwrites in place what its gradient needs: there is no gradient to follow")
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield


class _TempFile:
    """A file without a name; closed, and so gone, with the last tensor of the graph that lies in it."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # the graph outlives the block
        weakref.finalize(self, self.file.close)


class _Shelved:
    """One tensor on a shelf."""

    def __init__(self, shelf: _TempFile, saved: Tensor) -> None:
        self.shelf, file = shelf, shelf.file
        self.start = file.seek(0, 2)
        self.shape, self.dtype = saved.shape, saved.dtype
        file.write(saved.detach().contiguous().view(-1).view(torch.uint8).numpy().data)

    def read(self) -> Tensor:
        self.shelf.file.seek(self.start)
        found = bytearray(self.shelf.file.read(self.shape.numel() * self.dtype.itemsize))
        return torch.frombuffer(found, dtype=self.dtype).view(self.shape)
