"""WebDataset: pictures in tar files, with their classes beside them (name.jpg, name.cls)."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pellucid.errors import BadImage
from pellucid.images import SUFFIXES, Images, read
from pellucid.images.sources import Source


@dataclass(frozen=True)
class _Member:
    """Where a picture's bytes lie."""

    file: Path
    name: str
    offset: int
    size: int
    label: int | None


class Tar(Source):
    """One tar, or several: `train-{000..146}.tar`. Read once for where each picture lies, then by number."""

    kind = "tar"

    @cached_property
    def _members(self) -> tuple[_Member, ...]:
        found = [member for file in _expanded(self.place) for member in _pictures(file)]
        if not found:
            raise BadImage(f"no pictures in {self.place!r}: {', '.join(SUFFIXES)}")
        return tuple(found)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        labels = [member.label for member in self._members if member.label is not None]
        return tuple(map(str, range(max(labels) + 1))) if labels else ()

    def __len__(self) -> int:
        return len(self._members)

    def name(self, i: int) -> str:
        member = self._members[i]
        return f"{member.file.name}/{member.name}"

    def label(self, i: int) -> int | None:
        return self._members[i].label

    def read(self, i: int) -> Images:
        member = self._members[i]
        try:
            with member.file.open("rb") as file:
                file.seek(member.offset)
                data = file.read(member.size)
        except OSError as error:
            raise BadImage(f"cannot read {self.name(i)!r}: {error.strerror}") from error
        picture = read(data)
        return Images(picture.pictures, (self.name(i),), picture.originals, picture.views, picture.notes)


def _expanded(place: str) -> list[Path]:
    """`a-{000..002}.tar` -> the three files."""
    match = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", place)
    if match is None:
        return [Path(place).expanduser()]
    before, first, last, after = match.groups()
    return [Path(f"{before}{i:0{len(first)}d}{after}").expanduser() for i in range(int(first), int(last) + 1)]


def _pictures(file: Path) -> list[_Member]:
    labels: dict[str, int] = {}
    pictures: list[tuple[str, str, int, int]] = []
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                path = PurePosixPath(member.name)
                if path.suffix.lower() == ".cls":
                    held = archive.extractfile(member)
                    text = held.read(32).decode("ascii", "replace").strip() if held else ""
                    if text.isdecimal():
                        labels[_key(path)] = int(text)
                elif path.suffix.lower() in SUFFIXES:
                    pictures.append((member.name, _key(path), member.offset_data, member.size))
    except (OSError, tarfile.TarError) as error:
        raise BadImage(f"cannot open {str(file)!r} as an uncompressed tar: {error}") from error
    return [_Member(file, name, offset, size, labels.get(key)) for name, key, offset, size in pictures]


def _key(path: PurePosixPath) -> str:
    """What the files of one sample share: all up to the first dot of the name."""
    return str(path.parent / path.name.partition(".")[0])
