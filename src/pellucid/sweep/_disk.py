"""Files of an index: each is whole or not there, and every changed bit in one is noticed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import threading
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import npz
from pellucid.errors import PellucidError
from pellucid.files import write_atomically

if TYPE_CHECKING:
    from pellucid.sweep.fold import Part

_HOST = re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())
_DAY = 86400.0


class BadStore(PellucidError):
    """An index that is damaged, or is another one's."""

    exit_code = 3


def declare(path: Path, facts: Mapping[str, Any], *, first: bool = False) -> str:
    """Write facts with their own SHA-256, which is returned. With `first` a file that is there stays."""
    text, digest = _sealed(facts)
    whole = path.with_name(f".{path.name}.{threading.get_ident()}.{mark()}.part") if first else path
    _write(whole, lambda file: file.write(text))
    if first:
        try:
            os.link(whole, path)  # unlike a rename, it never takes another's place
        except FileExistsError:
            return digest
        except OSError:  # no links on this file system
            os.replace(whole, path)
        finally:
            whole.unlink(missing_ok=True)
        _synced(path.parent)
    return digest


def declared(path: Path) -> dict[str, Any]:
    """The facts of a file. Raises BadStore where one bit of it has changed."""
    data = _bytes(path, npz.FACTS)
    try:
        facts = json.loads(data)
        facts.pop("sha256")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise BadStore(f"{path.name}: not what was written: {error}") from error
    try:
        text, digest = _sealed(facts)
    except (ValueError, RecursionError) as error:
        raise BadStore(f"{path.name}: not what was written: {error}") from error
    if text != data:
        raise BadStore(f"{path.name}: not what was written: its checksum differs")
    return {**facts, "sha256": digest}


def _sealed(facts: Mapping[str, Any]) -> tuple[bytes, str]:
    """(text of the facts that ends with their SHA-256, the SHA-256)."""
    plain = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    digest = hashlib.sha256(plain.encode()).hexdigest()
    return f'{plain[:-1]}, "sha256": "{digest}"}}'.encode(), digest


def pack(path: Path, parts: Mapping[str, Part], about: Mapping[str, Any]) -> None:
    """Write a shard: an .npz whose comment is the SHA-256 of all bytes before it. The same parts give the same bytes.

    Integers are deflated a little, floats not at all: more costs seconds a shard and saves next to nothing.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(npz.ABOUT), json.dumps(about, sort_keys=True), zipfile.ZIP_DEFLATED, 1)
        for fold, part in parts.items():
            for name, values in part.items():
                held = io.BytesIO()
                np.lib.format.write_array(held, values, allow_pickle=False)
                how = zipfile.ZIP_STORED if values.dtype.kind == "f" else zipfile.ZIP_DEFLATED
                archive.writestr(zipfile.ZipInfo(f"{fold}.{name}.npy"), held.getbuffer(), how, 1)
        archive.comment = b"0" * 64
    view = buffer.getbuffer()
    view[-64:] = hashlib.sha256(view[:-64]).hexdigest().encode()
    _write(path, lambda file: file.write(view))


def unpack(path: Path) -> tuple[dict[str, Part], dict[str, Any]]:
    """(parts, about) of a shard. Raises BadStore where one bit of it has changed."""
    data = _sound(path)
    found: dict[str, Part] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        about = npz.told(archive)
        for key in archive.namelist():
            fold, _, name = key.removesuffix(".npy").partition(".")
            if key != npz.ABOUT:
                found.setdefault(fold, {})[name] = npz.array(archive, key)
    return found, about


def about(path: Path, *, whole: bool = False) -> dict[str, Any]:
    """What a shard says of itself, without unpacking the rest; with `whole` its bytes are compared with its SHA-256."""
    try:
        with zipfile.ZipFile(io.BytesIO(_sound(path)) if whole else regular(path)) as archive:
            return npz.told(archive)
    except (OSError, ValueError, KeyError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        raise BadStore(f"{path.name}: not what was written: {error}") from error


def _sound(path: Path) -> bytes:
    """The bytes of a shard, that are what was written."""
    data = _bytes(path)
    if hashlib.sha256(memoryview(data)[:-64]).hexdigest().encode() != data[-64:]:
        raise BadStore(f"{path.name}: not what was written: its checksum differs")
    return data


def check(path: Path, sha256: str) -> None:
    """Raises BadStore where a file has another SHA-256."""
    if digest(path) != sha256:
        raise BadStore(f"{path.name}: not what was written: its checksum differs")


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    try:
        with regular(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadStore(f"{path.name}: {error.strerror}") from error


def abandoned(path: Path) -> bool:
    """Whether nobody writes that file any more: its process is gone, or was on another machine a day ago."""
    match = re.search(r"[.-](\w+)-(\d+)\.part$", path.name)
    try:
        if match and match[1] == _HOST:
            os.kill(int(match[2]), 0)
            return False
        return time.time() - path.stat().st_mtime > _DAY
    except ProcessLookupError:
        return True
    except OSError:  # another's process, or the file is gone by now
        return False


def mark() -> str:
    """Who writes."""
    return f"{_HOST}-{os.getpid()}"


def _write(path: Path, write: Any) -> None:
    write_atomically(path, write, mark=mark())
    _synced(path.parent)


def regular(path: Path) -> Path:
    """The path of a file that is one: to open a pipe, or to read a device, may never end. Raises BadStore."""
    try:
        return npz.regular(path)
    except (OSError, ValueError) as error:
        raise BadStore(f"{path.name}: {getattr(error, 'strerror', None) or error}") from error


def _bytes(path: Path, most: int | None = None) -> bytes:
    try:
        if most is not None and regular(path).stat().st_size > most:
            raise BadStore(f"{path.name}: not what was written: it has more than {most >> 20} MB")
        return regular(path).read_bytes()
    except OSError as error:
        raise BadStore(f"{path.name}: {error.strerror}") from error


def _synced(folder: Path) -> None:
    """Force a folder's entries to disk: a rename is not safe before."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise PellucidError(f"cannot write {str(folder)!r}: {error.strerror}") from error
