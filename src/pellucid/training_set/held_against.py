"""What a set of images is held against: an index of other images, or photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, InstanceOf

from pellucid.described import Default, Shell
from pellucid.errors import PellucidError
from pellucid.image_set import ImageSet, ImageSetLike
from pellucid.index import Index
from pellucid.index.index import IndexLike


def held_against(value: IndexLike | ImageSetLike | None) -> Any:
    """For pydantic: the folder of an index becomes an index, all else photos."""
    if value is None or isinstance(value, (Index, ImageSet)):
        return value
    try:
        if isinstance(value, (str, Path)) and (Path(value).expanduser() / "plan.json").is_file():
            return Index.of(value)
        return ImageSet.of(value)  # type: ignore[arg-type]
    except PellucidError as error:
        raise ValueError(str(error)) from error


TestOption = Annotated[
    InstanceOf[Index] | InstanceOf[ImageSet] | None,
    BeforeValidator(held_against),
    Field(description="test set whose images must not be among those of the index: an index, or photos",
          examples=["test.index"]),
    Default("none"),
    Shell(value="TEST"),
]  # fmt: skip
