"""Pictures made by hand, byte by byte, where Pillow cannot write what people have."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 20, 30
_row, _column = np.mgrid[0:HEIGHT, 0:WIDTH]
GRAY: NDArray[np.uint8] = (_row * 7 + _column * 4).astype(np.uint8)
RGB: NDArray[np.uint8] = np.stack([_row * 12, _column * 8, (_row + _column) * 5], -1).astype(np.uint8)
"""(H, W, 3): no symmetry, so that a turned or mirrored picture is another one."""


def encoded(image: Image.Image | NDArray[Any], kind: str, **options: Any) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG of one IDAT; `rows` are unfiltered scan lines, each with its leading 0; `extra` are whole chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def scan_lines(values: NDArray[Any]) -> bytes:
    """(H, …) big-endian values as PNG's unfiltered rows."""
    return b"".join(b"\0" + row.tobytes() for row in values)


def tiff(width: int, height: int, bits: int, data: bytes, sample_format: int = 1) -> bytes:
    """An uncompressed little-endian gray TIFF of one strip; sample_format 1 unsigned, 2 signed, 3 float."""
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 0, 277: 1, 278: height, 279: len(data)}
    entries[339] = sample_format
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + struct.pack("<I", 0) + data
