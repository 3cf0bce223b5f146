"""WebDataset: images in tar files, here or behind URLs, with their classes beside them (name.jpg, name.cls)."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from pellucid.errors import BadImage
from pellucid.images import SUFFIXES, Images
from pellucid.images.hidden import hidden, passed_over
from pellucid.images.remote import absolute, fetched, last, opened
from pellucid.images.sources import Source, expanded, hashed, listed, named, source, stamped


@dataclass(frozen=True)
class _Member:
    """Where an image's bytes lie."""

    file: str
    name: str
    offset: int
    size: int
    label: int | None


@source("tar", written="x.tar or shards-{000..031}.tar", suffixes=(".tar",))
class Tar(Source):
    """One tar, or several: `train-{000..146}.tar`. Read once for where each image lies, then by number."""

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))

    @cached_property
    def _held(self) -> tuple[tuple[_Member, ...], tuple[str, ...]]:
        """(the images, notes on what was passed over)."""
        each = [_pictures(file) for file in expanded(self.place)]
        held = [member for members, _ in each for member in members]
        links = [name for _, names in each for name in names if not hidden(name)]
        found = tuple(member for member in held if not hidden(member.name))
        notes = passed_over(member.name for member in held if hidden(member.name))
        notes += (f"links in a tar are left out: {listed(links, len(links))}",) if links else ()
        if not found:
            more = "".join(f"; {note}" for note in notes)
            raise BadImage(f"no images in {self.place!r}: {', '.join(SUFFIXES)}{more}")
        return found, notes

    @property
    def _members(self) -> tuple[_Member, ...]:
        return self._held[0]

    @property
    def _passed(self) -> tuple[str, ...]:
        """What was passed over, and that folders in a tar are no classes."""
        folders = sorted({PurePosixPath(member.name).parent.name for member in self._members} - {""})
        if self.classes or len(folders) < 2:
            return self._held[1]
        names = listed(folders, len(folders))
        none = (
            f"no classes: those of a tar are in name.cls beside name.jpg, its {len(folders)} folders {names} are none"
        )
        return (*self._held[1], none)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        labels = [member.label for member in self._members if member.label is not None]
        return tuple(map(str, range(max(labels) + 1))) if labels else ()

    @cached_property
    def identity(self) -> str:
        digest = hashlib.sha256()
        for i, member in enumerate(self._members):
            digest.update(f"{self.name(i)}\0{member.size}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._members)

    def name(self, i: int) -> str:
        member = self._members[i]
        return f"{last(member.file)}/{member.name}"

    def label(self, i: int) -> int | None:
        return self._members[i].label

    def read(self, i: int) -> Images:
        return self.fetch(i)[0]

    def stamp(self, i: int) -> tuple[int, int] | None:
        return stamped(self._members[i].file)

    def fetch(self, i: int) -> tuple[Images, int]:
        member = self._members[i]
        data = fetched(member.file, member.offset, member.size)
        if len(data) < member.size:
            raise BadImage(f"{self.name(i)!r} is cut short: {len(data)} of {member.size} bytes")
        return named(data, self.name(i), self.value_range), hashed(data)


def _pictures(file: str) -> tuple[list[_Member], list[str]]:
    """(the images of a tar, its links)."""
    labels: dict[str, int] = {}
    pictures: list[tuple[str, str, int, int]] = []
    links: list[str] = []
    try:
        with opened(file) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                if member.issym() or member.islnk():
                    links.append(PurePosixPath(member.name).as_posix())
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
            stream.seek(archive.offset)
            end = stream.read(tarfile.BLOCKSIZE)
            if len(end) < tarfile.BLOCKSIZE or any(end):  # tarfile ends without a word there, too
                raise BadImage(f"{file!r} is damaged or cut short after {len(pictures)} images")
    except tarfile.TarError as error:
        raise BadImage(f"cannot open {file!r} as an uncompressed tar: {error}") from error
    return [_Member(file, name, offset, size, labels.get(key)) for name, key, offset, size in pictures], links


def _key(path: PurePosixPath) -> str:
    """What the files of one sample share: all up to the first dot of the name."""
    return str(path.parent / path.name.partition(".")[0])
