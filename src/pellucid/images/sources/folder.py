"""A folder of pictures, here or behind a URL; with a folder for each class in it, an ImageFolder."""

from __future__ import annotations

import csv
import io
from functools import cached_property
from pathlib import Path, PurePosixPath

from pellucid.errors import BadImage
from pellucid.images import SUFFIXES, Images, pictures_in, read
from pellucid.images.remote import absolute, below, fetched, is_url
from pellucid.images.sources import Source, named

LABELS = ("labels.csv", "metadata.csv")
"""Files beside the pictures that say their classes, where folders do not."""
_NAMES, _CLASSES = ("file_name", "filename", "name", "file", "image", "path"), ("label", "class", "target")


class Folder(Source):
    """All picture files below a folder, by name.

    Where all lie one level down, those folders are the classes; else labels.csv says them: name,label in each line.
    """

    kind = "folder"

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))

    @cached_property
    def _files(self) -> tuple[str, ...]:
        """Their names relative to the folder."""
        if not is_url(self.place):
            root = Path(self.place)
            return tuple(path.relative_to(root).as_posix() for path in pictures_in(root))
        found = tuple(name for name in below(self.place) if PurePosixPath(name).suffix.lower() in SUFFIXES)
        if not found:
            raise BadImage(f"no pictures below {self.place!r}: {', '.join(SUFFIXES)}")
        return found

    @cached_property
    def _listed(self) -> dict[str, str]:
        """Name -> class, from the first of LABELS that is there; empty where folders are the classes."""
        if all("/" in name for name in self._files):
            return {}
        for file in LABELS:
            place = f"{self.place.rstrip('/')}/{file}"
            try:
                data = fetched(place)
            except BadImage:
                continue
            return _labels(data, place)
        return {}

    @cached_property
    def classes(self) -> tuple[str, ...]:
        if all("/" in name for name in self._files):
            return tuple(sorted({name.partition("/")[0] for name in self._files}))
        known = set(self._files)
        classes = {label for name, label in self._listed.items() if name in known}
        if self._listed and not classes:
            raise BadImage(f"labels beside {self.place!r} name {next(iter(self._listed))!r}, which is not there")
        return tuple(sorted(classes, key=lambda one: (not one.isdecimal(), int(one) if one.isdecimal() else 0, one)))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self._files)

    def name(self, i: int) -> str:
        return self._files[i]

    def label(self, i: int) -> int | None:
        name = self._files[i]
        return self._numbers.get(self._listed.get(name, "") if self._listed else name.partition("/")[0])

    def read(self, i: int) -> Images:
        if not is_url(self.place):
            return read(Path(self.place) / self._files[i])
        return named(fetched(f"{self.place.rstrip('/')}/{self._files[i]}"), self._files[i])


def _labels(data: bytes, place: str) -> dict[str, str]:
    """Name -> class from lines of name,label; a first line may say which columns they are."""
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadImage(f"cannot read {place!r} as lines of name,label: {error}") from error
    head = [one.strip().lower() for one in rows[0]] if rows else []
    name = next((head.index(one) for one in _NAMES if one in head), None)
    label = next((head.index(one) for one in _CLASSES if one in head), None)
    if name is not None and label is None:
        return {}  # a table of other things
    if name is None or label is None:
        name, label = 0, 1
    else:
        rows = rows[1:]
    short = next((i for i, row in enumerate(rows, start=1) if len(row) <= max(name, label)), None)
    if short is not None:
        raise BadImage(f"cannot read {place!r}: row {short} is not name,label")
    return {row[name].strip(): row[label].strip() for row in rows}
