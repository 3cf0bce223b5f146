"""Where answers are saved, decided before anything is computed."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pellucid.cli.numbers import write_csv, write_json
from pellucid.cli.words import noted
from pellucid.errors import PellucidError, unknown
from pellucid.files import FILMS, WITHOUT_FILE
from pellucid.result import Audit, Embedding2D, Review, Study, Surface, Suspects, Table, Tour

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")
NUMBERS = (".npz", ".json", ".csv")
PAGES = (".html",)
PAGED = (Audit, Embedding2D, Review, Study, Surface, Suspects, Table, Tour)
"""What can be saved as these, besides."""
NOTHING = "none"
"""What is written for --format where nothing is to be saved."""


def places(
    out: Sequence[str],
    images: Sequence[str],
    method: str,
    flag: str = "--out",
    more: Sequence[str] = (),
    usual: str = ".png",
    formats: Sequence[str] | None = None,
    note: Callable[[str], object] = str,
) -> list[list[Path]]:
    """For each image the files to write; `more` are suffixes that this method's answers may have besides, `formats`
    those that were asked for, where no file is named, `usual` is that of a file of which nobody said anything.

    One rule for every command. A file that somebody named, or in a folder that somebody named, is replaced, and `note`
    hears of it. A name that is chosen here, after image and method, is never that of a file that is there: it gets a
    number. An image that is asked about is never written over. Raises PellucidError for what could not be written.
    """
    stems = _distinct([_stem(name) for name in images])
    endings = _endings(formats, (*PICTURES, *NUMBERS, *more), out) if formats else (usual,)
    if not out:
        return [_new(f"{stem}.{method}", endings) for stem in stems]
    chosen: list[list[Path]] = [[] for _ in stems]
    for one in out:
        path = Path(one).expanduser()
        if is_folder(one):
            _writable(path, one, flag)
            for files, stem in zip(chosen, stems, strict=True):
                files += [path / f"{stem}.{method}{ending}" for ending in endings]
            continue
        if formats:
            raise PellucidError(
                f"{flag} {one!r} and --format {','.join(formats)}: the suffix of a file says what it is; "
                "with --format name a folder, such as 'out/'"
            )
        if path.suffix.lower() not in (*PICTURES, *NUMBERS, *more):
            page = f", a page is {', '.join(more)}" if more else ""
            if path.suffix.lower() in FILMS:
                page += f"; a film of how pictures come to be is --film {one}"
            raise PellucidError(
                f"{flag} {one!r}: a picture is {', '.join(PICTURES)}, numbers are {', '.join(NUMBERS)}{page}"
            )
        if len(stems) > 1:
            ending = path.suffix.lower().removeprefix(".")
            raise PellucidError(
                f"{flag} {one!r} is one file for {len(stems)} images: name a folder, such as 'out/'"
                + (f", with --format {ending}" if ending != "png" else "")
            )
        _writable(path.parent, one, flag)
        chosen[0].append(path)
    _replaced([path for files in chosen for path in files], images, flag, note)
    return chosen


def is_folder(one: str) -> bool:
    """Whether what was named is a folder, there or to be made: a file says by its suffix what it is."""
    path = Path(one).expanduser()
    return one.endswith(("/", os.sep)) or path.is_dir() or not (path.suffix or os.path.lexists(path))


def bare_places(out: str, images: Sequence[str], method: str, note: Callable[[str], object] = str) -> list[Path]:
    """Where the bare pictures made of each image go: one .png, or a folder. Raises PellucidError as `places` does."""
    if not (is_folder(out) or Path(out).suffix.lower() == ".png"):
        raise PellucidError(f"--bare {out!r}: pictures pixel for pixel are .png; or name a folder, such as 'out/'")
    return [files[0] for files in places([out], images, method, "--bare", note=note)]


def film_place(file: str, images: Sequence[str], note: Callable[[str], object] = str) -> Path:
    """Where a film goes, refused before anything is computed. Raises PellucidError for what is no film, or an image."""
    from pellucid.draw.film import checked

    path = checked(file)
    _replaced([path], images, "--film", note)
    return path


def _endings(formats: Sequence[str], known: Sequence[str], out: Sequence[str]) -> tuple[str, ...]:
    """The suffixes to save with, where no file is named."""
    if NOTHING in formats:
        if len(formats) > 1 or out:
            raise PellucidError(
                f"--format {','.join(formats)}: 'none' saves nothing, so it stands alone, without --out"
            )
        return ()
    for one in formats:
        if f".{one}" not in known:
            raise unknown("format of this answer", one, [each.removeprefix(".") for each in known], show=9)
    return tuple(dict.fromkeys(f".{one}" for one in formats))


def _new(stem: str, endings: Sequence[str]) -> list[Path]:
    """Files in this folder that are not there yet, all with the same number: dog.grad_cam-2.png."""
    name, count = stem, 1
    while any(os.path.lexists(f"{name}{ending}") for ending in endings):
        count += 1
        name = f"{stem}-{count}"
    return [Path(f"{name}{ending}") for ending in endings]


def _replaced(files: Sequence[Path], images: Sequence[str], flag: str, note: Callable[[str], object]) -> None:
    """Say which files are written over; refuse where one is an image that is asked about."""
    there = [path for path in files if os.path.lexists(path)]
    asked = {os.path.realpath(name) for name in images} if there else set()
    for path in there:
        if os.path.realpath(path) in asked:
            raise PellucidError(f"{flag} {str(path)!r} is what is asked about: name another file")
    if len(there) == 1:
        note(f"{there[0]} is there already, and is replaced")
    elif there:
        note(f"{len(there)} files are there already, and are replaced: {there[0]}, …")


def save(
    result: Any, over: Any, paths: Sequence[Path], look: Mapping[str, Any], words: Callable[[str], str] = str
) -> list[Path]:
    """The result as picture (over the images it is about) and as numbers, as the suffixes say.

    `words` puts a picture's notes into the options of the shell; files of numbers are for Python.
    """
    drawn: Any = None
    saved = []
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PellucidError(f"cannot make the folder {str(path.parent)!r}: {error.strerror}") from error
        if path.suffix.lower() in NUMBERS:
            saved.append(_numbers(result, path))
            continue
        if drawn is None:
            from pellucid.draw import draw

            drawn = draw(noted(result, words), over, **look)
        saved.append(Path(drawn.save(path)))
    return saved


def _numbers(result: Any, path: Path) -> Path:
    """One result, or several, as the suffix says."""
    several = list(result) if isinstance(result, (list, tuple)) else [result]
    if path.suffix.lower() == ".json":
        return write_json(several, path)
    if len(several) > 1:
        raise PellucidError(
            f"--out {str(path)!r}: numbers are saved one target at a time; several make a picture, or .json"
        )
    if path.suffix.lower() == ".csv":
        return write_csv(several[0], path)
    saved: Path = several[0].save(path)
    return saved


def _writable(folder: Path, asked: str, flag: str) -> None:
    """Refuse a folder that cannot be written to, or made; it is made when there is something to save."""
    there = Path(os.path.abspath(folder))
    while not os.path.lexists(there):
        there = there.parent
    if not there.is_dir():
        raise PellucidError(f"cannot write {flag} {asked!r}: {os.path.relpath(there)!r} is no folder")
    try:  # permissions do not tell of full and read-only disks
        with tempfile.TemporaryFile(dir=there):
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
    counts: dict[str, int] = {}
    found = []
    for stem in stems:
        name, count = stem, counts.get(stem, 1)
        while name in taken:
            count += 1
            name = f"{stem}-{count}"
        counts[stem] = count
        taken.add(name)
        found.append(name)
    return found
