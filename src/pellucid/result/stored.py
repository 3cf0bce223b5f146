"""Results in files: every kind is saved, and opened again, in one .npz."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pellucid import npz
from pellucid.errors import BadResult, PellucidError, UnknownName, unknown
from pellucid.files import write_atomically
from pellucid.plugins import RESULTS
from pellucid.result.serial import kind_of, packed, unpacked

if TYPE_CHECKING:
    from pellucid.result.base import Result

FORMAT = 1
"""Of the files; raised when one of before can no longer be read."""
_MOST = 100_000
"""Arrays in a file."""
_FAULTS = (
    OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, EOFError, MemoryError,
    RecursionError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""What zipfile, json, numpy and the constructors of results raise on files that nobody wrote."""


def save(result: Result, path: str | Path) -> Path:
    """Write a result to `path`; atomic. Raises PellucidError where it cannot be written."""
    arrays, about = packed(result)
    text = json.dumps({"format": FORMAT, "result": about}, allow_nan=False)

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            npz.put(archive, arrays, text)

    return write_atomically(path, write)


def open(path: str | os.PathLike[str]) -> Result:
    """The result that was saved in a file, of the kind that it was, equal in every bit.

    Nothing in the file is run, and no memory is taken that the file does not have: it is safe to open anybody's.
    Raises BadResult for a file that is damaged, is something else or was saved by another version, and UnknownName with
    the nearest where there is no such file.
    """
    place = Path(path)
    try:
        place = place.expanduser()
        with npz.regular(place).open("rb") as file:
            found: Result = _read(file, place.stat().st_size)
            return found
    except FileNotFoundError as error:
        raise _missing(place) from error
    except PellucidError as error:
        kind = UnknownName if isinstance(error, UnknownName) else BadResult
        raise kind(f"cannot open {str(place)!r}: {error}") from error
    except OSError as error:
        raise BadResult(f"cannot open {str(place)!r}: {error.strerror or error}") from error
    except _FAULTS as error:
        raise BadResult(f"cannot open {str(place)!r}: {_why(error)}") from error


def _read(file: IO[bytes], size: int) -> Any:
    """Raises BadResult, or one of the faults."""
    if file.read(4) != b"PK\x03\x04":
        raise BadResult("it is no result that Pellucid saved, which is a .npz archive")
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if npz.ABOUT not in members:
            raise BadResult(f"it is no result that Pellucid saved: it has no {npz.ABOUT}")
        _check(archive, size)
        about = npz.told(archive, parse_constant=_no_number, object_pairs_hook=_once)
        kind = _kind(about)
        names = [name for name in members if name != npz.ABOUT]
        if not all(name.endswith(".npy") for name in names):
            raise ValueError("it holds something else than arrays")
        return unpacked(kind, {name.removesuffix(".npy"): npz.array(archive, name) for name in names}, about["result"])


def _check(archive: zipfile.ZipFile, size: int) -> None:
    """Raises ValueError for an archive that says it holds more than its bytes: nothing that we save is compressed."""
    members = archive.infolist()
    if len(members) > _MOST or len({member.filename for member in members}) < len(members):
        raise ValueError("it holds too many arrays, or one twice")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise ValueError("it is compressed or encrypted, as no saved result is")
    if sum(member.file_size for member in members) > size:
        raise ValueError("it says that it holds more than it does")


def _kind(about: dict[str, Any]) -> type:
    if about.keys() != {"format", "result"}:
        raise BadResult("it is no result that Pellucid saved: it does not say what it is")
    if about["format"] != FORMAT:
        theirs = about["format"] if isinstance(about["format"], int) else "?"
        raise BadResult(f"it was saved by another version of Pellucid (format {theirs}, here it is {FORMAT})")
    name = about["result"]["kind"]
    kind = kind_of(name) if isinstance(name, str) else None
    if kind is None:
        raise unknown("kind of result", name[:80] if isinstance(name, str) else "?", RESULTS.names())
    return kind


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _missing(path: Path) -> PellucidError:
    folder = path.parent
    if not folder.is_dir():
        return BadResult(f"no file {str(path)!r}: there is no folder {str(folder)!r}")
    names = sorted(one.name for one in folder.iterdir() if one.suffix == path.suffix)
    return unknown("file", path.name, names)


def _why(error: BaseException) -> str:
    """The fault in words, of bounded length, and printable whatever the file holds."""
    text = str(error) if isinstance(error, (ValueError, zipfile.BadZipFile)) else f"{type(error).__name__} {error}"
    text = "".join(c if c.isprintable() else " " for c in text)
    return f"it is damaged or no saved result: {text[:200]}"
