"""Files by their names, wherever they lie: on this machine, or behind a URL that fsspec opens (s3://, gs://,
https://).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pellucid.errors import BadImage, MissingExtra, PellucidError, Unreachable, unknown

_AT_ONCE: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}}},
}
"""What makes a server that is not there fail at once, where the protocol's own patience is minutes."""


def is_url(place: str) -> bool:
    """Whether a place is a URL rather than a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*(::.+)?://", place) is not None


def absolute(place: str) -> str:
    """The same place for whoever works in another folder; URLs as they are."""
    return place if is_url(place) or not place else str(Path(place).expanduser().absolute())


def last(place: str) -> str:
    """The name of the file alone."""
    return place.rstrip("/").rpartition("/")[2] if is_url(place) else Path(place).name


@contextmanager
def opened(place: str) -> Iterator[IO[bytes]]:
    """A file to read and to seek in. Raises BadImage where there is none, Unreachable where nobody answers."""
    with _reported(place):
        if not is_url(place):
            local = Path(place).expanduser()
            if not stat.S_ISREG(local.stat().st_mode) and not local.is_dir():  # a pipe or a device may never end
                raise BadImage(f"cannot open {place!r}: it is no file")
            with local.open("rb") as file:
                yield file
            return
        system, path = _system(place)
        with system.open(path, "rb") as file:
            yield file


def fetched(place: str, start: int = 0, size: int | None = None) -> bytes:
    """The bytes of a file, or `size` of them from `start`."""
    if is_url(place):
        with _reported(place):
            system, path = _system(place)
            data: bytes = system.cat_file(path, start=start or None, end=None if size is None else start + size)
            return data
    with opened(place) as file:
        file.seek(start)
        return file.read(-1 if size is None else size)


def below(place: str) -> tuple[str, ...]:
    """The names of all files below a folder behind a URL, relative to it, sorted."""
    with _reported(place):
        system, path = _system(place)
        root = path.rstrip("/") + "/"
        # what lists memory:///a gives /a/b, what lists s3://a gives a/b
        names = [f"/{one}" if root.startswith("/") and not one.startswith("/") else one for one in system.find(path)]
    return tuple(sorted(name.removeprefix(root) for name in names if name.startswith(root)))


def _system(place: str) -> tuple[Any, str]:
    """(fsspec's file system, the path in it). Raises MissingExtra with the line that installs what is missing."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra(f"{place!r}", "remote") from error
    protocol = place.partition("://")[0].partition("::")[0]
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(place, **_AT_ONCE.get(protocol, {}))
    except ImportError as error:
        said = re.search(r"[Ii]nstall ([\w.-]+)", str(error))
        package = said[1] if said else getattr(error.__cause__, "name", None) or protocol
        raise MissingExtra(f"{protocol}://", "remote", package=package) from error
    except ValueError as error:
        if "rotocol" in str(error):
            raise unknown("protocol", f"{protocol}://", sorted(fsspec.available_protocols())) from error
        raise
    return found


@contextmanager
def _reported(place: str) -> Iterator[None]:
    """Whatever a file system raises, in one line: BadImage where trying again would not help, else Unreachable."""
    try:
        yield
    except PellucidError:
        raise
    except FileNotFoundError as error:
        if isinstance(error.__cause__, OSError) and is_url(place):  # how fsspec says that no server answered
            raise Unreachable(f"cannot reach {place!r}: {error.__cause__}") from error
        raise BadImage(f"there is no {place!r}") from error
    except (PermissionError, IsADirectoryError, NotADirectoryError, ValueError) as error:
        raise BadImage(f"cannot open {place!r}: {getattr(error, 'strerror', None) or error}") from error
    except Exception as error:  # botocore, aiohttp, paramiko … each have a family of their own
        if not is_url(place) and not isinstance(error, OSError):
            raise
        said = getattr(error, "strerror", None) or str(error) or "no answer"
        raise Unreachable(f"cannot reach {place!r}: {type(error).__name__}: {said}") from error
