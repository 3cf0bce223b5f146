"""Real images to hold a synthetic picture against: one pass over them answers for all targets at once."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, final

from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import BadImage
from pellucid.files import WITHOUT_FILE
from pellucid.images import Images, ImagesLike, fingerprint, pictures_in, read
from pellucid.images.labeled import Labeled
from pellucid.net import Net
from pellucid.notes import collected
from pellucid.nouns import Noun
from pellucid.render.records import Known
from pellucid.render.tally import counted
from pellucid.target import Target


class Photos(Noun, ABC):
    """Real images of any origin."""

    written, format = "PHOTOS", "images"

    @abstractmethod
    def known(self, net: Net, targets: Sequence[Target]) -> Known:
        """What they say to each target, and to every unit that it is ranked among."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""

    @classmethod
    def of(cls, value: Photos | ImagesLike) -> Photos:
        """From a folder, the path of one picture or whatever `read` takes, a list of them, or `Images`."""
        if isinstance(value, Photos):
            return value
        if isinstance(value, (str, Path)) and not str(value).startswith((*WITHOUT_FILE, "http:", "https:", "file:")):
            path = Path(value).expanduser()
            if path.is_file():
                return PhotoList((path.name,), (path,), str(value), str(value))
            files = pictures_in(path)  # says what is wrong with it
            return PhotoList(tuple(file.relative_to(path).as_posix() for file in files), files, str(value), str(value))
        many = value if isinstance(value, (list, tuple)) else (value,)
        if not many:
            raise BadImage("no real images: the list is empty")
        found: list[tuple[str, Any]] = []
        for one in many:
            if isinstance(one, (str, Path)):
                found.append((str(one), one))
            else:
                found += [(each.ids[0], each) for each in Images.of(one)]
        names, sources = zip(*found, strict=True)
        written = [str(one) for one in many] if all(isinstance(one, (str, Path)) for one in many) else None
        return PhotoList(_distinct(names), sources, names[0] if len(names) == 1 else f"{len(names)} images", written)


@final
@dataclass(frozen=True, eq=False)
class PhotoList(Photos):
    """Pictures that are read when they are needed, a few at a time."""

    names: tuple[str, ...]
    sources: tuple[Any, ...] = field(repr=False)
    place: str
    """Where they are from, for people."""
    written_as: str | list[str] | None = None
    """What a person wrote for them; None where pixels were given."""

    def plain(self) -> Any:
        """The folder, the path of one, or a list of them."""
        return super().plain() if self.written_as is None else self.written_as

    @property
    def title(self) -> str:
        """Where they are from, and how many."""
        return f"{self.place}: {len(self.names)} images"

    def facts(self) -> dict[str, Any]:
        return {"real": self.place, "count": len(self.names)}

    def __str__(self) -> str:
        """Equal for equal pictures: files count as equal by name, size and time."""
        digest = hashlib.sha256()
        for name, source in zip(self.names, self.sources, strict=True):
            if isinstance(source, Images):
                stamp: Any = [fingerprint(picture) for picture in source.pictures]
            else:
                found = Path(source).stat() if isinstance(source, (str, Path)) and Path(source).is_file() else None
                stamp = (found.st_size, found.st_mtime_ns) if found else repr(source)
            digest.update(repr((name, stamp)).encode())
        return f"{self.place}: {len(self.names)} images {digest.hexdigest()}"

    def known(self, net: Net, targets: Sequence[Target]) -> Known:
        with collected() as notes:  # they stay with what is known, for every picture that is held against it
            try:
                count, records, moments = counted(net, tuple(dict.fromkeys(targets)), _Each(self))
            except BadImage as error:
                raise BadImage(f"{self.place!r}: {error}") from error
        return Known(count, records, moments, self.picture, tuple(notes))

    def picture(self, name: str) -> Images:
        """The picture of that name, as it is stored."""
        return Images.of(self.sources[self.names.index(name)])


@dataclass(frozen=True)
class _Each(Labeled):
    """The pictures of a list one by one, as they are stored."""

    many: PhotoList
    called = "real images"

    def __len__(self) -> int:
        return len(self.many.names)

    def name(self, i: int) -> str:
        return self.many.names[i]

    def item(self, i: int) -> tuple[Images, None]:
        return read(self.many.sources[i]), None


def photos(value: Photos | ImagesLike | None) -> Any:
    """For pydantic: what people write becomes `Photos`; None stays, and so does what is no picture's place."""
    kinds = (str, Path, Images, list, tuple)
    return Photos.of(value) if isinstance(value, kinds) else value


Real = Annotated[InstanceOf[Photos], BeforeValidator(photos)]
"""An option that takes real images: a folder of pictures, a list of paths, `Images`."""


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with a number where one occurs again."""
    taken: dict[str, int] = {}
    found = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        found.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return tuple(found)
