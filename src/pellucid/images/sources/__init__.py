"""Where many images come from: a folder, archives, tables, arrays. One file for each kind, which declares its class:

    @source("tar", written="x.tar or shards/{000..011}.tar", suffixes=(".tar",))
    class Tar(Source): ...

Another package names its class in the entry points `pellucid.images`. A source is a value: it is opened again from its
text by whoever works on a part of it. Images are numbered from 0 in an order that depends on nothing but their names.
"""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, TypeVar

from pellucid.errors import BadImage, unknown
from pellucid.files import printable
from pellucid.images import Images, read
from pellucid.images.arrays import Range
from pellucid.images.hidden import hidden
from pellucid.images.remote import is_url
from pellucid.notes import Note
from pellucid.plugins import IMAGES

_FOLDER = "folder"
"""What any other folder is."""
S = TypeVar("S", bound="type[Source]")


def source(
    kind: str, *, written: str, suffixes: tuple[str, ...] = (), holds: tuple[str, ...] = (), alone: bool = False
) -> Callable[[S], S]:
    """Declare a class as a kind of source. Its place is known by its suffix, or is a folder that `holds` such files.

    `written` is how a person writes it, for help; a kind that stands `alone` has no place.
    """

    def declared(found: S) -> S:
        found.kind = kind
        IMAGES.add(found, kind, written=written, suffixes=suffixes, holds=holds, alone=alone)
        return found

    return declared


class Source(ABC):
    """Many images, by number."""

    kind: str
    value_range: Range | None = None
    """The full scale of images deeper than 8 bits: that of the network which is to see them."""
    lazy: ClassVar[bool] = False
    """Whether a label is known only once its image has been read."""

    def __init__(self, place: str) -> None:
        self.place = place

    @abstractmethod
    def __len__(self) -> int:
        """How many."""

    @abstractmethod
    def name(self, i: int) -> str:
        """What image i is called: unique, and stable when the source is moved."""

    @abstractmethod
    def read(self, i: int) -> Images:
        """Image i. Raises BadImage with the reason."""

    def label(self, i: int) -> int | None:
        """The class of image i, where the source knows classes."""
        return None

    def item(self, i: int) -> tuple[Images, int | None]:
        """Image i and its class."""
        return self.read(i), self.label(i)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, where the source knows them."""
        return ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What looking for the images passed over or had to decide, and that some have no class where others have."""
        return Note.many("input", (*self._passed, *self._unlabeled))

    @property
    def _passed(self) -> tuple[str, ...]:
        return ()

    @property
    def _unlabeled(self) -> tuple[str, ...]:
        without = [i for i in range(len(self)) if self.label(i) is None] if self.classes else []
        if not without:
            return ()
        return (f"{len(without)} of {len(self)} images have no class: {listed([self.name(without[0])], len(without))}",)

    @cached_property
    def identity(self) -> str:
        """SHA-256 over all names, in their order, and over what else tells the same from other images at no cost."""
        digest = hashlib.sha256()
        for name in self._names():
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        return digest.hexdigest()

    @cached_property
    def labeled(self) -> str:
        """SHA-256 over the classes of all images; empty where the source knows none."""
        if not self.classes:
            return ""
        digest = hashlib.sha256("\0".join(self.classes).encode("utf-8", "surrogateescape"))
        for i in range(len(self)):
            digest.update(f"{self.label(i)},".encode())
        return digest.hexdigest()

    def fetch(self, i: int) -> tuple[Images, int]:
        """Image i, and a number that tells its bytes from others: 64 bits of a hash of them, as they were read.

        Where an image is no file of its own it is made from the pixels.
        """
        found = self.read(i)
        digest = hashlib.blake2b(digest_size=8)
        for picture in found.originals:
            digest.update(f"{picture.dtype} {tuple(picture.shape)}".encode())
            digest.update(picture.contiguous().cpu().numpy().data)
        return found, int.from_bytes(digest.digest(), "little")

    def stamp(self, i: int) -> tuple[int, int] | None:
        """(size, time in nanoseconds) of the file that image i is in; None where that is not to be had at once.

        While it is the same, so is the image; where it is another, the image's bytes have to be looked at.
        """
        return None

    def _names(self) -> Iterator[str]:
        return (self.name(i) for i in range(len(self)))

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"

    @classmethod
    def of(cls, value: Source | str | Path) -> Source:
        """A source from what a person writes: its place, of which the suffix or what a folder holds says the kind
        (`pellucid index --help` lists them); or KIND:PLACE. Folders, tars and parquet files may be URLs (s3://…).
        """
        if isinstance(value, Source):
            return value
        text = str(value)
        kind, colon, place = text.partition(":")
        if not colon and _is_alone(kind) and not Path(text).exists():
            place = ""
        elif not (colon and IMAGES.has(kind)):
            kind, place = _guessed(text), text
        known: type[Source] = IMAGES.get(kind)
        return known(place)


def listed(names: Sequence[str], count: int) -> str:
    """The first few of so many names."""
    return ", ".join(names[:3]) + ", …" * (count > len(names[:3]))


def hashed(data: bytes) -> int:
    """64 bits of a hash of an image's bytes."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def stamped(path: str | Path) -> tuple[int, int] | None:
    """Size and time of a file; None behind URLs, and where it is gone."""
    try:
        status = None if is_url(str(path)) else os.stat(path)
    except (OSError, ValueError):
        return None
    return None if status is None else (status.st_size, status.st_mtime_ns)


def named(data: Any, name: str, value_range: Range | None = None) -> Images:
    """An image from its encoded bytes or its pixels, under its name in the source."""
    try:
        found = read(data, value_range=value_range)
    except BadImage as error:
        why = str(error).replace("the image given as bytes", repr(printable(name)), 1)
        if why == str(error):
            why = f"{printable(name)!r}: {why}"
        raise BadImage(why) from error
    notes = tuple(replace(note, image=name) for note in found.notes)
    return Images(found.pictures, (name,), found.originals, found.views, notes, value_ranges=found.value_ranges)


def expanded(place: str) -> list[str]:
    """`a-{000..002}.tar` -> the three names."""
    match = re.fullmatch(r"(.*?)\{(\d+)\.\.(\d+)\}(.*)", place)
    if match is None:
        return [place]
    before, first, last, after = match.groups()
    if int(last) < int(first):
        raise BadImage(f"{place!r} names no file: {last} comes before {first}")
    return [one for i in range(int(first), int(last) + 1) for one in expanded(f"{before}{i:0{len(first)}d}{after}")]


def _guessed(text: str) -> str:
    """The kind of a source from how its place looks."""
    suffixes: dict[str, str] = {}
    for row in IMAGES.rows():  # ours first: what another package adds changes nothing that was there
        for suffix in row.said.get("suffixes", ()):
            suffixes.setdefault(suffix, row.name)
    suffix = PurePosixPath(text.partition("?")[0]).suffix.lower()
    if suffix in suffixes:
        return suffixes[suffix]
    if is_url(text):
        return _FOLDER
    folder = Path(text).expanduser()
    if folder.is_dir():
        return next((row.name for row in IMAGES.rows() if _holds(folder, row.said.get("holds", ()))), _FOLDER)
    if folder.exists():
        raise BadImage(f"{text!r} is no source of images: a folder, {', '.join(suffixes)}, or KIND:PATH")
    if ":" in text:
        raise unknown("kind of source", text.partition(":")[0], [row.name for row in IMAGES.rows()])
    raise BadImage(f"there is no {text!r}: name a folder, {', '.join(suffixes)} that exists")


def _holds(folder: Path, patterns: tuple[str, ...]) -> bool:
    return any(not hidden(path.name) for pattern in patterns for path in folder.glob(pattern))


def _is_alone(kind: str) -> bool:
    return any(row.said.get("alone") for row in IMAGES.rows() if row.name == kind)
