"""Which images are meant: files, folders, patterns, lists on stdin."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import BadImage, PellucidError
from pellucid.files import WITHOUT_FILE, missing

STDIN = "-"
"""What is written for the names on stdin."""


@dataclass(frozen=True)
class Inputs:
    """The images of a command, in the order in which they were written."""

    names: tuple[str, ...] = ()
    many: bool = False
    """Whether the answers are told one by one: several images, or a folder, pattern or list, however many are there."""
    notes: tuple[str, ...] = ()
    """What was passed over in folders."""


def inputs(words: Sequence[str]) -> Inputs:
    """The images that `words` name. Raises PellucidError where a folder, a pattern or stdin has none."""
    names: list[str] = []
    notes: list[str] = []
    for word in words:
        if word == STDIN:
            for line in _lines():
                names += _below(line, notes) if Path(line).is_dir() else [line]
        elif _stands_for_itself(word):
            names.append(word)
        elif Path(word).is_dir():
            names += _below(word, notes)
        else:
            names += _matching(word)
    found = Inputs(tuple(names), len(words) > 1 or list(words) != names, tuple(notes))
    if not found.many and names:  # before torch is there to read it
        _there(names[0])
    return found


def _there(name: str) -> None:
    """Refuse a file that is not there."""
    if not (name.startswith(WITHOUT_FILE) or "://" in name):
        with suppress(OSError, ValueError, RuntimeError):  # whoever reads it says what is wrong with such a name
            path = Path(name).expanduser()
            if not os.path.lexists(path):
                raise missing(path)


def _stands_for_itself(word: str) -> bool:
    """A sample, scene or URL; a file of that very name, also one with brackets; or what is no pattern and not there."""
    return word.startswith(WITHOUT_FILE) or "://" in word or not (os.path.isdir(word) or _is_pattern(word))


def _is_pattern(word: str) -> bool:
    return glob.has_magic(word) and not os.path.lexists(word)


def _below(folder: str, notes: list[str]) -> Iterator[str]:
    """All images of a folder and of those in it."""
    from pellucid.images.files import found_in  # here, because its room needs torch

    found = found_in(folder)
    notes += found.notes
    return map(str, found.files)


def _matching(pattern: str) -> list[str]:
    """The files that fit, by name: `photos/**/*.jpg` also those in folders of folders."""
    found = sorted(name for name in glob.iglob(pattern, recursive=True) if os.path.isfile(name))
    if not found:
        raise BadImage(f"no file fits {pattern!r}: * stands for a part of a name, ** for folders in folders")
    return found


def _lines() -> list[str]:
    """The names on stdin: one a line, or ended by NUL as `find -print0` writes them."""
    if sys.stdin is None:
        raise PellucidError("- reads names of images from stdin, and there is none")
    raw = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    parts = raw.split(b"\0") if b"\0" in raw else raw.splitlines()
    names = [os.fsdecode(part) for part in parts if part.strip()]
    if not names:
        raise PellucidError("- reads names of images from stdin, one a line, and there was none")
    return names
