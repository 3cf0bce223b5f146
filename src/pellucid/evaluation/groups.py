"""Groups of images by something that is not their class, such as where a photo was taken or who is in it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.evaluation.called import Called
from pellucid.evaluation.truth_files import text_of
from pellucid.nouns import Noun

FOLDER = "folder"
_IMAGE = ("image", "file", "filename", "file_name", "path", "name", "id")
_WAYS = "a .csv with columns image and group, 'folder', {image: group}, or a list with the group of each image"


@dataclass(frozen=True, eq=False)
class Groups(Noun):
    """The group of each image. As text: a .csv with the columns image and group, or 'folder': the folder that the
    image lies in, below that of its class (`dog/snow/1.jpg` is of the group snow).
    """

    written, format = "GROUPS", "groups"
    place: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    """Name of an image -> its group."""
    listed: tuple[str, ...] = ()
    """The group of each image, in their order; "" of one that has none."""

    @classmethod
    def of(cls, value: GroupsLike) -> Groups:
        """From text, a path, a mapping by name, or a list in the order of the images. PellucidError in one line."""
        if isinstance(value, Groups):
            return value
        if isinstance(value, Mapping):
            return cls("", {str(name): _said(group) for name, group in value.items()})
        if not isinstance(value, (str, Path)):
            return cls("", listed=tuple(map(_said, np.asarray(value).tolist())))
        if str(value) == FOLDER:
            return cls(FOLDER)
        path = Path(value).expanduser()
        if not path.is_file():
            raise PellucidError(f"no groups in {str(value)!r}, which is no file: groups are {_WAYS}")
        return cls(str(value), _table(path))

    def over(self, names: Sequence[str]) -> dict[str, str]:
        """Name of an image -> its group, of those that have one.

        Names with and without folder and suffix are the same image where only one can be meant. PellucidError where
        two images have one name, one row could be about both, and where a list is of another length.
        """
        if self.listed:
            if len(self.listed) != len(names):
                raise PellucidError(f"a list of {len(self.listed)} groups for {len(names)} images: one for each")
            Called((), "each group").over(names)
            found = dict(zip(names, self.listed, strict=True))
        elif self.place == FOLDER:
            found = {name: PurePosixPath(name).parent.name for name in names}
        else:
            rows = Called(self.named, str(self)).one_each(names, self.named)
            found = {name: self.named[row] for name, row in rows.items()}
        return {name: group for name, group in found.items() if group}

    def __str__(self) -> str:
        return Path(self.place).name if self.place else f"groups of {len(self.named) or len(self.listed)} images"

    @property
    def identity(self) -> str:
        """All that it says."""
        said = repr((self.place == FOLDER, sorted(self.named.items()), self.listed))
        return hashlib.sha256(said.encode()).hexdigest()

    def plain(self) -> Any:
        """Where it was read, or what it holds."""
        return self.place or dict(self.named) or list(self.listed)


GroupsLike: TypeAlias = Groups | str | Path | Mapping[str, Any] | Sequence[Any] | Tensor | NDArray[Any]
"""A .csv with columns image and group, 'folder', {image: group}, or the group of each image in their order."""


def _said(group: Any) -> str:
    if isinstance(group, float) and group.is_integer():
        group = int(group)
    if isinstance(group, (list, tuple, dict)):
        raise PellucidError(f"{str(group)[:60]!r} is no group of an image: groups are {_WAYS}")
    return "" if group is None else str(group).strip()


def _table(path: Path) -> dict[str, str]:
    rows = list(csv.reader(text_of(path).splitlines()))
    head = [one.strip().lower() for one in rows[0]] if rows else []
    image = next((head.index(one) for one in _IMAGE if one in head), None)
    other = [k for k in range(len(head)) if k != image]
    group = head.index("group") if "group" in head else other[0] if len(other) == 1 else None
    if image is None or group is None:
        raise PellucidError(
            f"{path.name!r} needs a column image and a column group; its first line is {','.join(head)[:80]!r}"
        )
    found: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(image, group):
            raise PellucidError(f"{path.name!r}, line {number} has {len(row)} cells, the first line {len(head)}")
        name, said = row[image].strip(), row[group].strip()
        if found.setdefault(name, said) != said:
            raise PellucidError(f"{path.name!r}, line {number}: {name!r} is of the group {found[name]!r} already")
    return found


def _given(value: GroupsLike) -> Any:
    """For pydantic, whose validators refuse by ValueError."""
    if not isinstance(value, (str, Path, Mapping, Sequence, Tensor, np.ndarray)):
        return value
    try:
        return Groups.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


GroupsOption = Annotated[InstanceOf[Groups], BeforeValidator(_given)]
"""An option that takes the group of each image."""
