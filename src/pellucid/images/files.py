"""The image files below a folder: links are followed once, what is hidden is left out, and both are said."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import BadImage
from pellucid.files import IMAGES as SUFFIXES
from pellucid.images.hidden import hidden, passed_over

_PACKED = (".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
"""Archives that are not read as they are: an image would cost all that are packed before it."""


@dataclass(frozen=True)
class Found:
    """Image files, in the order of their names, and what was passed over on the way to them."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def found_in(folder: str | Path, others: tuple[str, ...] = ()) -> Found:
    """The image files of a folder and of those within it, by name. Raises BadImage where there are none; files ending
    in one of `others` are then named as what would work.

    A linked folder is read under the name of the link, unless its images are there under their own name: every
    folder is entered once, so that links in a circle end.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise BadImage(f"{str(folder)!r} is no folder of images")
    walk = _Walk(folder)
    walk.below(folder)
    while walk.links:  # after all real folders: a link to one of them adds nothing
        walk.follow(walk.links.pop(0))
    if not walk.files:
        more = f"; {passed_over(walk.hidden)[0]}" if walk.hidden else ""
        raise BadImage(
            f"no images in the folder {str(folder)!r}: {', '.join(SUFFIXES)}{more}{_instead(folder, others)}"
        )
    return Found(tuple(sorted(walk.files)), (*passed_over(walk.hidden), *walk.notes))


def _instead(folder: Path, others: tuple[str, ...]) -> str:
    """What would work where a folder holds no images, but a file of many: to name it, or to unpack it."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not hidden(path.name))
    whole = next((name for name in names if name.lower().endswith(others)), None)
    if whole:
        return f"; {whole!r} in it is read where it is named itself: {str(folder / whole)!r}"
    packed = next((name for name in names if name.lower().endswith(_PACKED)), None)
    return f"; {packed!r} in it has to be unpacked first" if packed else ""


def is_picture(name: str) -> bool:
    """Whether a file of that name is one of an image, hidden or not."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


class _Walk:
    """One walk down a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[Path] = []
        self.hidden: list[str] = []
        self.links: list[Path] = []
        self.notes: list[str] = []
        self.entered: dict[tuple[int, int], Path] = {}

    def below(self, folder: Path) -> None:
        """Take down the files of a folder and of all real folders in it; put links to folders aside."""
        for here, folders, names in os.walk(folder):
            status = os.stat(here)
            self.entered[status.st_dev, status.st_ino] = Path(here)
            for name in list(folders):
                path = Path(here, name)
                if path.is_symlink():
                    folders.remove(name)
                    if not self._is_hidden(path):
                        self.links.append(path)
            folders.sort()
            self.links.sort()
            self._take(Path(here), names)

    def follow(self, link: Path) -> None:
        """The images behind a link to a folder, unless they are here already."""
        status = link.stat()
        known = self.entered.get((status.st_dev, status.st_ino))
        if known is None:
            self.below(link)
        else:
            self.notes.append(f"{self._name(link)} is a link to {self._name(known)}, which is read once")

    def _take(self, here: Path, names: list[str]) -> None:
        for name in filter(is_picture, names):
            path = here / name
            if self._is_hidden(path):
                self.hidden.append(self._name(path))
            elif path.is_file():
                self.files.append(path)
            elif path.is_symlink():
                self.notes.append(f"{self._name(path)} is a link to nothing")

    def _is_hidden(self, path: Path) -> bool:
        return hidden(path.relative_to(self.root).as_posix())

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path != self.root else "the folder itself"
