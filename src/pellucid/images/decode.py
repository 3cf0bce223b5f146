"""Whatever a person holds out as an image: a file, a sample, bytes, a URL, a Pillow image, an array."""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.errors import BadImage
from pellucid.files import missing, printable, quoted
from pellucid.images.arrays import Layout, Pixels, Range, check_range, from_array, from_tensor
from pellucid.images.formats import from_image, from_stream
from pellucid.images.samples import sample
from pellucid.images.scenes import named_scene

Decodable: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | NDArray[Any] | Tensor
"""One image: a path, `sample:NAME`, a URL, bytes, a Pillow image, an array; of a tensor also several."""
_MOST_BYTES = 200 * 2**20
"""The most that is fetched from a URL."""
_PATIENCE = 10.0
"""Seconds until a silent server is given up; a slow one gets three times that in all."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """One image as it was read: (C, H, W) pixels, uint8 or (where deeper) float32 in 0..1."""

    picture: Tensor
    name: str | None
    """The file's or the sample's name, printable; None for pixels that came without one."""
    notes: tuple[str, ...] = ()
    """What reading had to decide, for example 'first of 12 frames'."""
    value_range: Range | None = None
    """The values that became 0 and 1; None where they were those already, and of 8 bits."""


def decode(
    source: Any, *, value_range: Range | None = None, layout: Layout | None = None, channels: int | None = None
) -> list[Decoded]:
    """The image, or from a tensor (N, C, H, W) the N images, behind `source`; see `images.read`.

    Files become RGB, but for TIFFs of other bands; arrays keep their channels. `value_range=(black, white)` scales
    arrays, and images of more than 8 bits. Raises BadImage or UnknownName, in one line that names the source.
    """
    value_range = check_range(value_range)
    if isinstance(source, str) and source.startswith("sample:"):
        name = source.removeprefix("sample:")
        return [_from_bytes(sample(name), name, f"sample {quoted(name)}", value_range)]
    if isinstance(source, str) and source.startswith("scene:"):
        return [_named(from_array(named_scene(source.removeprefix("scene:")).pixels, None, None, None), source)]
    if isinstance(source, str) and re.match(r"(https?|file):/", source, re.IGNORECASE):
        return [_from_url(source, value_range)]
    if isinstance(source, (str, os.PathLike)):
        return [_from_path(os.fsdecode(source), value_range)]
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [_from_bytes(bytes(source), None, "the image given as bytes", value_range)]
    if isinstance(source, Image.Image):
        path = getattr(source, "filename", "")
        name = printable(Path(os.fsdecode(path)).name) if path else ""
        what = quoted(name) if name else f"the Pillow image of mode {source.mode}"
        return [_named(from_image(source, what, value_range), name or None)]
    if isinstance(source, np.ndarray):
        return [_named(from_array(source, value_range, layout, channels), None)]
    if isinstance(source, Tensor):
        return [_named(one, None) for one in from_tensor(source, value_range, layout, channels)]
    raise BadImage(
        f"a value of type {type(source).__qualname__} is no image: pass a path, 'sample:NAME', a URL, "
        "bytes, a Pillow image, a NumPy array or a torch tensor"
    )


def _named(read: Pixels, name: str | None) -> Decoded:
    return Decoded(read.picture, name, read.notes, read.value_range)


def _from_bytes(data: bytes, name: str | None, what: str, value_range: Range | None) -> Decoded:
    if not data:
        raise BadImage(f"{what} is empty: 0 bytes")
    read = from_stream(io.BytesIO(data), what, value_range, Path(name or "").suffix)
    return _named(read, name)


def _from_path(text: str, value_range: Range | None) -> Decoded:
    what = quoted(Path(text).name or text)
    try:
        path = Path(text).expanduser()
        status = path.stat()
        if not text:
            raise BadImage("the name of the image is empty")
        if not stat.S_ISREG(status.st_mode):  # asked before opening: opening a FIFO waits for ever
            way = f": name the files in it, as in {text.rstrip('/')}/*.jpg" if stat.S_ISDIR(status.st_mode) else ""
            raise BadImage(f"{what} is {_file_type(status.st_mode)}, not an image's file{way}")
        if not status.st_size:
            raise BadImage(f"{what} is empty: 0 bytes")
        with path.open("rb") as stream:
            read = from_stream(stream, what, value_range, path.suffix)
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null byte, no right to read, no such home
        raise BadImage(f"cannot open {what}: {getattr(error, 'strerror', None) or error}") from error
    return _named(read, printable(path.name))


def _file_type(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe (FIFO)",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _from_url(url: str, value_range: Range | None) -> Decoded:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        raise BadImage(f"cannot open {quoted(url)}: {error}") from error
    name = printable(Path(urllib.parse.unquote(parts.path)).name) or None
    if parts.scheme.lower() == "file":
        if parts.netloc not in ("", "localhost"):
            raise BadImage(f"cannot open {quoted(url)}: it lies on another machine; copy it here first")
        return _from_path(urllib.request.url2pathname(parts.path), value_range)
    return _from_bytes(_fetch(url), name, quoted(url), value_range)


def _fetch(url: str) -> bytes:
    """The body behind a URL that the user typed; one try, bounded in time and size."""
    outcome: list[bytes | Exception] = []

    def work() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "pellucid"})
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                outcome.append(answer.read(_MOST_BYTES + 1))
        except urllib.error.HTTPError as error:
            error.close()
            outcome.append(error)
        except Exception as error:
            outcome.append(error)

    # the timeout bounds neither the look-up of the host's name nor a body that trickles: the thread's end does
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(3 * _PATIENCE)
    if not outcome:
        raise BadImage(f"cannot fetch {quoted(url)}: no answer within {3 * _PATIENCE:.0f} seconds")
    got = outcome[0]
    if isinstance(got, Exception):
        why = getattr(got, "reason", None) or got
        code = f"HTTP {got.code} " if isinstance(got, urllib.error.HTTPError) else ""
        raise BadImage(f"cannot fetch {quoted(url)}: {code}{why}") from got
    if len(got) > _MOST_BYTES:
        raise BadImage(f"cannot fetch {quoted(url)}: it has more than {_MOST_BYTES >> 20} MB")
    return got
