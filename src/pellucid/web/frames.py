"""Messages between the server and its workers: a document of JSON and bytes, one after another through a pipe."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

Message = tuple[dict[str, Any], bytes]
"""(what it says, the bytes that go with it)."""
_LENGTHS = struct.Struct("<II")


def packed(about: Mapping[str, Any], body: bytes = b"") -> bytes:
    """A message as it stands in the pipe."""
    head = json.dumps(about, separators=(",", ":"), allow_nan=False).encode()
    return _LENGTHS.pack(len(head), len(body)) + head + body


def read(stream: BinaryIO) -> Message | None:
    """The next message; None where the pipe has ended, also within one."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    content = stream.read(head + body)
    return None if len(content) < head + body else (json.loads(content[:head]), content[head:])


async def received(stream: asyncio.StreamReader) -> Message | None:
    """The next message, awaited; None where the pipe has ended."""
    try:
        head, body = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
        content = await stream.readexactly(head + body)
    except asyncio.IncompleteReadError:
        return None
    return json.loads(content[:head]), content[head:]
