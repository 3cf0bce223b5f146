"""A folder of images, here or behind a URL; with a folder for each class in it, an ImageFolder."""

from __future__ import annotations

import csv
import io
from functools import cached_property
from pathlib import Path

from pellucid.errors import BadImage
from pellucid.images import SUFFIXES, Images, read
from pellucid.images.files import found_in, is_picture
from pellucid.images.hidden import hidden, passed_over
from pellucid.images.remote import absolute, below, fetched, is_url
from pellucid.images.sources import Source, hashed, listed, named, source, stamped
from pellucid.plugins import IMAGES

LABELS = ("labels.csv", "metadata.csv")
"""Files beside the images that say their classes, where folders do not."""
PARTS = {"train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval", "holdout"}
"""What the parts of a data set are called, which are no classes."""
_NAMES, _CLASSES = ("file_name", "filename", "name", "file", "image", "path"), ("label", "class", "target")


@source("folder", written="a folder (with a folder for each class, where there are classes)")
class Folder(Source):
    """All image files below a folder, by name.

    Where all lie one level down, those folders are the classes; else labels.csv says them: name,label in each line.
    """

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(the names of the images relative to the folder, notes on what was passed over)."""
        if not is_url(self.place):
            root = Path(self.place)
            local = found_in(root, tuple(one for row in IMAGES.rows() for one in row.said.get("suffixes", ())))
            return tuple(path.relative_to(root).as_posix() for path in local.files), local.notes
        names = tuple(filter(is_picture, below(self.place)))
        found = tuple(name for name in names if not hidden(name))
        if not found:
            raise BadImage(f"no images below {self.place!r}: {', '.join(SUFFIXES)}")
        return found, passed_over(filter(hidden, names))

    @property
    def _files(self) -> tuple[str, ...]:
        return self._found[0]

    @property
    def _passed(self) -> tuple[str, ...]:
        """What was passed over, and which folders the classes are where more lie below them, or a table of others."""
        found = self._found[1]
        if not self.classes:
            beside = sum("/" not in name for name in self._files)
            mixed = f"no classes: {beside} of {len(self._files)} images lie in no folder of a class"
            return (*found, mixed) if beside < len(self._files) else found
        deeper = any(name.count("/") > 1 for name in self._files)
        if self._listed:
            gone = sorted(set(self._listed) - set(self._files))
            return (*found, f"no image is there for {listed(gone, len(gone))} of the labels") if gone else found
        table = next((file for file in LABELS if self._beside(file)), None)
        if not (table or deeper or PARTS.issuperset(map(str.lower, self.classes))):
            return found
        many, names = len(self.classes), listed(self.classes, len(self.classes))
        what = f"classes are the {many} folders {names}" if many > 1 else f"the one class is the folder {names}"
        unread = f"; {table} is not read" if table else ""
        return (*found, f"{what}, with all that lies below {'them' if many > 1 else 'it'}{unread}")

    def _beside(self, file: str) -> bool:
        """Whether a table of classes lies beside the folders that are the classes."""
        return not is_url(self.place) and (Path(self.place) / file).is_file()

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
        _check_strays(self._files, self.place)
        return {}

    @cached_property
    def classes(self) -> tuple[str, ...]:
        if all("/" in name for name in self._files):
            tops = tuple(sorted({name.partition("/")[0] for name in self._files}))
            _check_parts(self._files, tops, self.place)
            return tops
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
            return read(Path(self.place) / self._files[i], value_range=self.value_range)
        return self.fetch(i)[0]

    def fetch(self, i: int) -> tuple[Images, int]:
        if not is_url(self.place):
            found = self.read(i)  # first: it refuses what is no image's file
            return found, hashed((Path(self.place) / self._files[i]).read_bytes())
        data = fetched(f"{self.place.rstrip('/')}/{self._files[i]}")
        return named(data, self._files[i], self.value_range), hashed(data)

    def stamp(self, i: int) -> tuple[int, int] | None:
        return None if is_url(self.place) else stamped(Path(self.place) / self._files[i])


def _check_strays(files: tuple[str, ...], place: str) -> None:
    """Refuse a few images beside folders of classes: their labels would be lost for all. Raises BadImage."""
    beside = [name for name in files if "/" not in name]
    folders = {name.partition("/")[0] for name in files if "/" in name}
    if len(folders) > 1 and len(beside) < len(files) - len(beside):
        what = f"{len(beside)} images lie" if len(beside) > 1 else "one image lies"
        raise BadImage(
            f"{place!r} has {len(folders)} folders of images, and {what} beside them, {beside[0]!r}: put it into the "
            "folder of its class or elsewhere, or write all classes into labels.csv"
        )


def _check_parts(files: tuple[str, ...], tops: tuple[str, ...], place: str) -> None:
    """Refuse `train/CLASS/x.jpg`, where the folders one level deeper are the classes. Raises BadImage."""
    inside = [
        {name.split("/")[1] for name in files if name.startswith(f"{top}/") and name.count("/") > 1} for top in tops
    ]
    if any(inside) and (len(tops) == 1 or PARTS.issuperset(map(str.lower, tops))):
        found = ", ".join(f"{len(below)} below {top}/" for top, below in zip(tops, inside, strict=True))
        how = " or ".join(repr(f"{place.rstrip('/')}/{top}") for top, below in zip(tops, inside, strict=True) if below)
        raise BadImage(f"{place!r} holds folders of classes one level deeper ({found}): name {how}")


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
