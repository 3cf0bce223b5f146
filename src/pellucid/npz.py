"""Arrays and JSON in one zip file (.npz), read without believing what the file says of itself."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

ABOUT = "about.json"
"""The member that says what the arrays are."""
FACTS = 256 * 2**20
"""Bytes that it may have."""
_HEADER = re.compile(
    rb"\{'descr': '([<>|][biufc]\d{1,2})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,19},? ?)*)\), \} *\n"
)
_PIECE = 2**24


def regular(path: Path) -> Path:
    """The path of a file that is one: to open a pipe, or to read a device, may never end. Raises OSError."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(0, "it is no file")
    return path


def told(archive: zipfile.ZipFile, **how: Any) -> dict[str, Any]:
    """What an archive says of itself; `how` goes to `json.loads`. Raises ValueError, KeyError where it says nothing."""
    if archive.getinfo(ABOUT).file_size > FACTS:
        raise ValueError("it says more of itself than can be")
    found = json.loads(archive.read(ABOUT), **how)
    if not isinstance(found, dict):
        raise ValueError("it does not say what it is")
    return found


def put(archive: zipfile.ZipFile, arrays: Mapping[str, np.ndarray], about: str) -> None:
    """Write arrays and what they are, without compression; the same give the same bytes."""
    with archive.open(ABOUT, "w", force_zip64=True) as member:
        member.write(about.encode("ascii"))
    for name, values in arrays.items():
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, values, allow_pickle=False)


def array(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    """One array of numbers. Its header is matched, not evaluated, and memory is taken only where the member's size is
    the array's. Raises ValueError besides what zipfile raises.
    """
    size = archive.getinfo(member).file_size
    with archive.open(member) as stream:
        start = stream.read(10)
        if start[:8] != b"\x93NUMPY\x01\x00":
            raise ValueError(f"{member!r:.80} is no array")
        length = int.from_bytes(start[8:], "little")
        match = _HEADER.fullmatch(stream.read(length))
        if match is None:
            raise ValueError(f"{member!r:.80} is no array of numbers")
        dtype, shape = np.dtype(match[1].decode()), tuple(map(int, re.findall(rb"\d+", match[3])))
        count = 1
        for side in shape:
            count *= side
        if count * dtype.itemsize != size - 10 - length:
            raise ValueError(f"{member!r:.80} says that it has another size than it has")
        flat = np.empty(count, dtype)
        _fill(flat.view(np.uint8), stream.read)
    return flat.reshape(shape, order="F" if match[2] == b"True" else "C")


def _fill(memory: np.ndarray, read: Callable[[int], bytes]) -> None:
    """Read what fills the memory, and nothing more; at the end zipfile compares the checksum."""
    done = 0
    while piece := read(_PIECE):
        memory[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    if done != len(memory):
        raise ValueError("it is cut short")
