"""Walls around a worker: once it has opened what it was given, no text of a page makes it open anything else.

Python tells an audit hook of every file that is opened and every connection that is made, whoever does it, and what the
hook raises ends the attempt (PEP 578). It is the second wall: `forms.asked` refuses such texts in words.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MACHINE = ("/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/version", "/proc/self/statm", "/proc/self/status",
            "/proc/self/maps", "/proc/self/cgroup", "/proc/self/mountinfo", "/proc/mounts", "/proc/driver",
            "/sys/devices", "/sys/fs/cgroup", "/usr/share", "/usr/lib", "/etc/fonts", "/dev/null",
            "/dev/urandom")  # fmt: skip
"""What torch asks of the machine, and fonts. Not all of `/proc`: the environment of a process stands there, too."""
_NEVER = {
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo", "socket.getnameinfo",
    "socket.gethostbyname", "socket.gethostbyaddr", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "os.spawn", "os.startfile", "os.fork", "os.forkpty", "urllib.Request", "ftplib.connect", "webbrowser.open",
}  # fmt: skip
_LISTS = {"os.listdir", "os.scandir"}
_CHANGES = {
    "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
    "os.chmod": 1, "os.chown": 1, "os.utime": 1, "shutil.rmtree": 1, "shutil.move": 2, "shutil.copyfile": 2,
}  # fmt: skip
"""Events that change what lies in a folder, with the number of paths that they name."""


class Shut(PermissionError):
    """Something outside the walls was asked for."""


def enclose(reads: Iterable[Path], writes: Iterable[Path]) -> None:
    """From now on this process reads below `reads` and where its own code lies, writes below `writes`, and connects to
    nothing. Temporary files go into the first of `writes`. There is no way back.
    """
    writes = list(writes)
    tempfile.tempdir = os.environ["TMPDIR"] = str(writes[0] / "tmp")
    Path(tempfile.tempdir).mkdir(parents=True, exist_ok=True)
    code = [sys.prefix, sys.base_prefix, *filter(None, sys.path), *_MACHINE]
    mine = _within(writes)
    known = _within([*map(Path, code), *reads]) + mine

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = given
            if isinstance(path, (str, bytes, os.PathLike)):
                writing = isinstance(flags, int) and flags & _WRITES
                _check(path, mine if writing else known)
        elif event in _LISTS:
            _check(given[0], known)
        elif event in _NEVER:
            raise Shut(f"{event} is not allowed here")
        elif event in _CHANGES:
            for path in given[: _CHANGES[event]]:
                _check(path, mine)

    sys.addaudithook(hook)


def _within(folders: Iterable[Path]) -> tuple[str, ...]:
    return tuple(os.path.realpath(one) for one in folders)


def _check(path: Any, folders: tuple[str, ...]) -> None:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    real = os.path.realpath(os.fsdecode(path))
    if not any(real == one or real.startswith(f"{one}{os.sep}") for one in folders):
        raise Shut(f"{Path(real).name!r} lies outside what this server was given")
