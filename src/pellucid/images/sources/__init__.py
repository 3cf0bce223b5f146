"""Where many pictures come from: a folder, archives, tables, arrays. One file for each kind.

A source is a value: it is opened again from its text by whoever works on a part of it. Pictures are numbered from 0
in an order that depends on nothing but their names.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from pellucid.errors import BadImage, unknown
from pellucid.images import Images

KINDS = {
    "folder": "Folder", "tar": "Tar", "parquet": "Parquet", "arrays": "Arrays", "hugging_face": "HuggingFace",
    "samples": "Samples",
}  # fmt: skip
"""Kind -> the class in pellucid.images.sources.KIND; `KIND:PATH` is how a person writes it."""


class Source(ABC):
    """Many pictures, by number."""

    kind: str

    def __init__(self, place: str) -> None:
        self.place = place

    @abstractmethod
    def __len__(self) -> int:
        """How many."""

    @abstractmethod
    def name(self, i: int) -> str:
        """What picture i is called: unique, and stable when the source is moved."""

    @abstractmethod
    def read(self, i: int) -> Images:
        """Picture i. Raises BadImage with the reason."""

    def label(self, i: int) -> int | None:
        """The class of picture i, where the source knows classes."""
        return None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, where the source knows them."""
        return ()

    @cached_property
    def identity(self) -> str:
        """SHA-256 over all names, in their order."""
        digest = hashlib.sha256()
        for name in self._names():
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        return digest.hexdigest()

    def _names(self) -> Iterator[str]:
        return (self.name(i) for i in range(len(self)))

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"

    @classmethod
    def of(cls, value: Any) -> Source:
        """A source from what a person writes: a folder, `photos.tar` or `shards/{000..011}.tar`, `x.parquet`,
        `x.npz`, a folder saved by Hugging Face datasets; or KIND:PATH; or `samples`, what comes with Pellucid.
        """
        if isinstance(value, Source):
            return value
        text = str(value)
        kind, colon, place = text.partition(":")
        if text == "samples" and not Path(text).exists():
            kind, place = "samples", ""
        elif not (colon and kind in KINDS):
            kind, place = _guessed(text), text
        found: Source = getattr(import_module(f"{__name__}.{kind}"), KINDS[kind])(place)
        return found


def _guessed(text: str) -> str:
    """The kind of a source from how its place looks."""
    suffixes = {".tar": "tar", ".parquet": "parquet", ".npz": "arrays", ".npy": "arrays"}
    suffix = Path(text).suffix.lower()
    if suffix in suffixes:
        return suffixes[suffix]
    if (Path(text) / "dataset_info.json").is_file() or (Path(text) / "dataset_dict.json").is_file():
        return "hugging_face"
    if Path(text).is_dir():
        return "folder"
    if Path(text).exists():
        raise BadImage(f"{text!r} is no source of pictures: a folder, {', '.join(suffixes)}, or KIND:PATH")
    if ":" in text and "://" not in text:
        raise unknown("kind of source", text.partition(":")[0], list(KINDS))
    raise BadImage(f"there is no {text!r}: name a folder, {', '.join(suffixes)} that exists")
