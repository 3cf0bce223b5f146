"""A folder of pictures; with a folder for each class in it, an ImageFolder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pellucid.images import Images, pictures_in, read
from pellucid.images.sources import Source


class Folder(Source):
    """All picture files below a folder, by name. Where all lie one level down, those folders are the classes."""

    kind = "folder"

    @cached_property
    def _paths(self) -> tuple[Path, ...]:
        return pictures_in(self.place)

    @cached_property
    def _root(self) -> Path:
        return Path(self.place).expanduser()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        parts = [path.relative_to(self._root).parts for path in self._paths]
        return tuple(sorted({one[0] for one in parts})) if all(len(one) > 1 for one in parts) else ()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, i: int) -> str:
        return self._paths[i].relative_to(self._root).as_posix()

    def label(self, i: int) -> int | None:
        return self._numbers.get(self._paths[i].relative_to(self._root).parts[0])

    def read(self, i: int) -> Images:
        return read(self._paths[i])
