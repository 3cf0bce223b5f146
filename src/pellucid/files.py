"""Files that are whole or not there at all, and their names for people elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from pellucid.errors import BadImage, PellucidError, unknown

_MOST_NAMES = 5000
"""How many names of a folder are looked at to find the one that was meant."""

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".dcm", ".fits", ".fit")
"""What a file of an image is called in a folder of them."""
FILMS = (".gif", ".mp4")
"""What a film can be saved as."""
WITHOUT_FILE = ("sample:", "scene:")
"""How names of images begin that come with Pellucid or are generated."""


def write_atomically(path: str | Path, write: Callable[[IO[bytes]], object], *, mark: str = "") -> Path:
    """Let `write(file)` fill a temporary file beside `path`, force it to disk, then rename it into place.

    Whoever looks at `path` sees the old content or the new one, also after Ctrl-C or a power cut. `mark` says in the
    temporary file's name whose it is.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=f".{mark}.part" if mark else ".part"
        )
    except OSError as error:
        raise PellucidError(f"cannot write {str(path)!r}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise PellucidError(f"cannot write {str(path)!r}: {error.strerror}") from error
        raise
    return path


def _umask() -> int:
    """The process's file mask; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def unplaced(name: str) -> str:
    """A name without its folder, where it is a path of this machine: pictures travel."""
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names of files may be no text
    if PurePosixPath(name).is_absolute():
        return PurePosixPath(name).name or name
    if PureWindowsPath(name).is_absolute():
        return PureWindowsPath(name).name or name
    return name.replace("\\", "/").rsplit("/", 1)[-1] if name.startswith((".", "~")) else name


def printable(text: str) -> str:
    """The same text with control characters, text direction marks and undecodable bytes written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: str) -> str:
    """Printable, in quotes, of bounded length."""
    text = printable(text)
    return f"'{text if len(text) <= 200 else text[:100] + '…' + text[-80:]}'"


def missing(path: Path) -> PellucidError:
    """What to say of an image that is not there: the nearest names of images in its folder."""
    if path.is_symlink():
        return BadImage(f"{quoted(path.name)} is a link to {quoted(os.readlink(path))}, which does not exist")
    if not path.parent.is_dir():
        return BadImage(f"no file {quoted(str(path))}: there is no folder {quoted(str(path.parent))}")
    with os.scandir(path.parent) as entries:
        names = sorted(printable(entry.name) for entry in islice(entries, _MOST_NAMES) if entry.is_file())
    names = [name for name in names if PurePosixPath(name).suffix.lower() in IMAGES]
    answer = unknown("image file", printable(path.name), names)
    return type(answer)(f"{answer} (in {quoted(str(path.parent))})")
