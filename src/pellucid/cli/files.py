"""Where answers are saved, decided before anything is computed."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pellucid.cli.words import noted
from pellucid.errors import PellucidError
from pellucid.files import WITHOUT_FILE
from pellucid.result import Audit, Embedding2D, Review, Study, Surface, Suspects, Table, Tour

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")
NUMBERS = (".npz",)
PAGES = (".html",)
PAGED = (Audit, Embedding2D, Review, Study, Surface, Suspects, Table, Tour)
"""What can be saved as these, besides."""


def places(
    out: Sequence[str],
    images: Sequence[str],
    method: str,
    flag: str = "--out",
    more: Sequence[str] = (),
    usual: str = ".png",
) -> list[list[Path]]:
    """For each image the files to write; `more` are suffixes that this method's answers may have besides, `usual` is
    that of a file which nobody named.

    Raises PellucidError for what could not be written anyway.
    Without `out` a picture, or what is usual, in the current folder, named after image and method: one of that name was
    made by the same question, and is made anew.
    """
    stems = _distinct([_stem(name) for name in images])
    if not out:
        return [[Path(f"{stem}.{method}{usual}")] for stem in stems]
    chosen: list[list[Path]] = [[] for _ in stems]
    for one in out:
        path = Path(one).expanduser()
        if one.endswith(("/", os.sep)) or path.is_dir():
            _writable(path, one, flag)
            for files, stem in zip(chosen, stems, strict=True):
                files.append(path / f"{stem}.{method}{usual}")
            continue
        if path.suffix.lower() not in (*PICTURES, *NUMBERS, *more):
            page = f", a page is {', '.join(more)}" if more else ""
            raise PellucidError(
                f"{flag} {one!r}: a picture is {', '.join(PICTURES)}, raw numbers are {NUMBERS[0]}{page}"
            )
        if len(stems) > 1:
            raise PellucidError(f"{flag} {one!r} is one file for {len(stems)} images: name a folder, such as 'out/'")
        _writable(path.parent, one, flag)
        chosen[0].append(path)
    return chosen


def bare_places(out: str, images: Sequence[str], method: str) -> list[Path]:
    """Where the bare pictures made of each image go: one .png, or a folder. Raises PellucidError as `places` does."""
    if not (out.endswith(("/", os.sep)) or Path(out).expanduser().is_dir() or Path(out).suffix.lower() == ".png"):
        raise PellucidError(f"--bare {out!r}: pictures pixel for pixel are .png; or name a folder, such as 'out/'")
    return [files[0] for files in places([out], images, method, "--bare")]


def save(
    result: Any, over: Any, paths: Sequence[Path], look: Mapping[str, Any], words: Callable[[str], str] = str
) -> list[Path]:
    """The result as picture (over the images it is about) and as numbers, as the suffixes say.

    `words` puts a picture's notes into the options of the shell; files of numbers are for Python.
    """
    drawn: Any = None
    saved = []
    for path in paths:
        if path.suffix.lower() in NUMBERS:
            if isinstance(result, (list, tuple)):
                raise PellucidError(
                    f"--out {str(path)!r}: numbers are saved one target at a time; several make a picture"
                )
            saved.append(result.save(path))
            continue
        if drawn is None:
            from pellucid.draw import draw

            drawn = draw(noted(result, words), over, **look)
        saved.append(Path(drawn.save(path)))
    return saved


def _writable(folder: Path, asked: str, flag: str) -> None:
    if not folder.is_dir():
        raise PellucidError(f"cannot write {flag} {asked!r}: there is no folder {str(folder)!r}")
    try:  # permissions do not tell of full and read-only disks
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise PellucidError(f"cannot write {flag} {asked!r}: {error.strerror}") from error


def _stem(name: str) -> str:
    """dog for 'photos/dog.jpg', 'sample:dog' and 'https://example.org/dog.jpg?large'; photos for 'photos/*.jpg'."""
    if name.startswith("sample:"):
        name = name.removeprefix("sample:")
    elif name.startswith(WITHOUT_FILE):
        name = name.replace(":", "-")
    elif "://" in name:
        name = unquote(urlsplit(name).path)
    elif glob.has_magic(name) and not os.path.lexists(name):
        whole = Path(os.path.abspath(name)).parts
        name = next((part for part in reversed(whole) if not glob.has_magic(part)), "")
    return PurePosixPath(name).stem.replace(os.sep, "_").replace("*", "_").strip() or "picture"


def _distinct(stems: Sequence[str]) -> list[str]:
    """dog, dog-2 for two images of that name."""
    taken: set[str] = set()
    found = []
    for stem in stems:
        name, count = stem, 1
        while name in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name)
        found.append(name)
    return found
