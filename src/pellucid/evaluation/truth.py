"""Where things really are in many pictures, and which classes of a network they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, InstanceOf

from pellucid.described import Default, Shell
from pellucid.errors import PellucidError, UnknownName
from pellucid.evaluation.called import Called
from pellucid.evaluation.things import Box, Mask, Size, Stencil, Thing
from pellucid.evaluation.truth_files import as_json, found_in, things_of
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.net.classes import class_of
from pellucid.nouns import Noun

_SMALL = 0.25
"""Share of a picture that the things of a class fill at most for it to be difficult, beside another class."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where the things of one class are in one picture."""

    mask: Mask
    """(H, W) of the original picture: the pixels of any of them."""
    boxes: Floats
    """(K, 4) left, top, right, bottom of each, in its pixels, at their edges."""
    difficult: bool
    """Small, beside another class (Zhang et al. 2016), or what the file says of it."""


@dataclass(frozen=True, eq=False)
class Truth(Noun):
    """Boxes and masks of things by the name of their picture, read from a file or a folder, or given as
    `{"dog.jpg": [("dog", (left, top, right, bottom))]}`, in pixels of the original picture.
    """

    written, format = "TRUTH", "truth"
    place: str
    things: Mapping[str, tuple[Thing, ...]]
    sizes: Mapping[str, Size] = field(default_factory=dict)
    """(height, width) of the pictures, where the file states it."""

    @classmethod
    def of(cls, value: TruthLike) -> Truth:
        """From a .csv, a COCO .json, a folder of YOLO .txt, of Pascal VOC .xml or of mask .png; from a mapping.

        Raises PellucidError in one line that says what is wrong and where.
        """
        if isinstance(value, Truth):
            return value
        if isinstance(value, Mapping):
            things = {str(name): things_of(some, f"truth of {name!r}") for name, some in value.items()}
            return cls("", things, {})
        found = found_in(Path(value).expanduser())
        return cls(str(value), {name: tuple(some) for name, some in found.things.items()}, found.sizes)

    @cached_property
    def called(self) -> Called:
        """Which of its pictures an image is."""
        return Called(self.things, str(self), folders=bool(self.place) and Path(self.place).expanduser().is_dir())

    def known(self, image: str) -> str | None:
        """What an image is called here. PellucidError where it may be several of its pictures."""
        return self.called.one_each([image]).get(image)

    def labels(self, image: str) -> tuple[str, ...]:
        """The classes of a picture, in the order of its things; none of one that is not known."""
        name = self.known(image)
        return tuple(dict.fromkeys(one.label for one in self.things[name])) if name else ()

    def region(self, image: str, label: str, size: Size) -> Region:
        """Where class `label` is in a picture (height, width). PellucidError where the truth is of another size."""
        name = str(self.known(image))
        stated = self.sizes.get(name, size)
        if stated != size:
            raise PellucidError(
                f"{image!r} is {size[1]} × {size[0]}, and {self} is about one of {stated[1]} × {stated[0]} pixels: "
                "give the pictures that it was made for"
            )
        try:
            return _region(self.things[name], label, size)
        except PellucidError as error:
            raise PellucidError(f"{self}, {image!r}: {error}") from error

    def __len__(self) -> int:
        return len(self.things)

    def __str__(self) -> str:
        return Path(self.place).name or self.place or f"the truth of {len(self.things)} pictures"

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"truth": str(self), "pictures": len(self)}

    @property
    def identity(self) -> str:
        """All that it says; mask files count as equal by name, size and time."""
        said = [(name, [_stamped(one) for one in some]) for name, some in sorted(self.things.items())]
        return hashlib.sha256(repr([said, sorted(self.sizes.items())]).encode()).hexdigest()

    def plain(self) -> Any:
        """Where it was read, or its boxes."""
        if self.place:
            return self.place
        return {name: [[one.label, list(one.box or ())] for one in some] for name, some in self.things.items()}


TruthLike: TypeAlias = Truth | str | Path | Mapping[str, Sequence[Any]]
"""Boxes and masks: a .csv, a COCO .json, a folder of YOLO .txt, Pascal VOC .xml or mask .png, or {image: [(label,
(left, top, right, bottom))]}."""


def _region(things: Sequence[Thing], label: str, size: Size) -> Region:
    from scipy import ndimage  # slow to import

    own = [one for one in things if one.label == label]
    mask, boxes = np.zeros(size, bool), list[Box]()
    for one in own:
        here = one.mask(size)
        mask |= here
        box = one.box_in(size)
        found = (
            [box] if box else [_edges(part) for part in ndimage.find_objects(ndimage.label(here, np.ones((3, 3)))[0])]
        )
        boxes += found
    flags = [one.difficult for one in own if one.difficult is not None]
    beside = any(one.label != label for one in things)
    difficult = any(flags) if flags else beside and bool(mask.mean() < _SMALL)
    return Region(mask, np.array(boxes, np.float64).reshape(-1, 4), difficult)


def _edges(part: tuple[slice, slice]) -> Box:
    rows, columns = part
    return float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)


def _stamped(one: Thing) -> str:
    if not isinstance(one.outline, Stencil):
        return repr(one)
    said = one.outline.path.stat()
    return repr((one.label, one.outline.path.name, one.outline.number, said.st_size, said.st_mtime_ns))


@dataclass(frozen=True, eq=False)
class ClassPairs(Noun):
    """Which classes of a network the classes of a truth are: {class: [classes of the network]}; or a list of rows
    {"image": …, "label": …, "class": …} that say it picture by picture. What is not named is left out.
    """

    written, format = "PAIRS", "class pairs"
    place: str
    by_label: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    by_image: Mapping[str, Mapping[str, tuple[str | int, ...]]] = field(default_factory=dict)
    """Image -> class of the truth -> classes of the network."""

    @classmethod
    def of(cls, value: PairsLike) -> ClassPairs:
        """From a JSON file, or from what it would hold. PellucidError in one line where it holds something else."""
        if isinstance(value, ClassPairs):
            return value
        place = str(value) if isinstance(value, (str, Path)) else ""
        said = as_json(Path(place).expanduser()) if place else value
        called = repr(Path(place).name) if place else "classes="
        if isinstance(said, Mapping):
            return cls(place, {str(label): _classes(some, f"{called}, {label!r}") for label, some in said.items()})
        if not isinstance(said, Sequence) or isinstance(said, str):
            raise PellucidError(f"{called} is neither {{class: [classes of the network]}} nor a list of rows")
        found: dict[str, dict[str, tuple[str | int, ...]]] = {}
        for k, row in enumerate(said):
            cells = [_cell(row, names) for names in _ROW]
            if None in cells:
                raise PellucidError(f"{called}, row {k}: image, label and class are needed, there is {str(row)[:60]}")
            row_of, label = found.setdefault(str(cells[0]), {}), str(cells[1])
            row_of[label] = (*row_of.get(label, ()), *_classes(cells[2], f"{called}, row {k}"))
        return cls(place, {}, found)

    def classes(self, image: str, label: str) -> tuple[str | int, ...]:
        """Those of the network for a class in a picture; none where it is left out. PellucidError where several of its
        pictures may be meant."""
        name = self._called.one_each([image]).get(image)
        return self.by_label.get(label, ()) if name is None else self.by_image[name].get(label, ())

    @cached_property
    def _called(self) -> Called:
        return Called(self.by_image, str(self))

    def __str__(self) -> str:
        return Path(self.place).name if self.place else f"{len(self.by_label) + len(self.by_image)} pairs"

    @property
    def identity(self) -> str:
        """All that it says."""
        by_image = sorted((name, sorted(row.items())) for name, row in self.by_image.items())
        return json.dumps([sorted(self.by_label.items()), by_image])

    def plain(self) -> Any:
        """Where it was read, or what it holds."""
        if self.place:
            return self.place
        rows = [
            {"image": image, "label": label, "class": list(some)}
            for image, row in self.by_image.items()
            for label, some in row.items()
        ]
        return rows or {label: list(some) for label, some in self.by_label.items()}


PairsLike: TypeAlias = ClassPairs | str | Path | Mapping[str, Any] | Sequence[Any]
"""A JSON file, {class: [classes of the network]}, or rows of image, label and class."""
_ROW = (("image", "f", "file", "file_name"), ("label", "cls", "category"), ("class", "idx", "index", "wnid"))


def _cell(row: Any, names: tuple[str, ...]) -> Any:
    return next((row[one] for one in names if one in row), None) if isinstance(row, Mapping) else None


def _classes(value: Any, where: str) -> tuple[str | int, ...]:
    some = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
    if any(isinstance(one, bool) or not isinstance(one, (str, int)) for one in some):
        raise PellucidError(f"{where}: {value!r} is no list of names or numbers of classes")
    return tuple(some)


def network_classes(net: Net, truth: Truth, pairs: ClassPairs | None, image: str, label: str) -> tuple[int, ...]:
    """The numbers of the network's classes that a class of a picture is; none where it has no such class.

    PellucidError where `pairs` names a class that the network does not have.
    """
    if pairs is not None:
        return tuple(net.class_index(one) for one in pairs.classes(image, label))
    try:
        found = class_of(net, label, 0, 1, None, str(truth))
    except UnknownName:
        return ()
    return () if found is None else (found,)


def _truth(value: TruthLike) -> Any:
    return _made(Truth, value) if isinstance(value, (str, Path, Mapping)) else value


def _truth_if(value: TruthLike | None) -> Any:
    return value if value is None else _truth(value)


def _pairs(value: PairsLike | None) -> Any:
    return _made(ClassPairs, value) if isinstance(value, (str, Path, Mapping, list, tuple)) else value


def _made(kind: type[Truth] | type[ClassPairs], value: Any) -> Any:
    """For pydantic, whose validators refuse by ValueError."""
    try:
        return kind.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


_SAID = Field(
    description="boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png",
    examples=["boxes.csv"],
)
TruthOption = Annotated[InstanceOf[Truth], BeforeValidator(_truth), _SAID, Shell(value="TRUTH")]
TruthMaybe = Annotated[
    InstanceOf[Truth] | None, BeforeValidator(_truth_if), _SAID, Default("none"), Shell(value="TRUTH")
]
PairsOption = Annotated[
    InstanceOf[ClassPairs] | None,
    BeforeValidator(_pairs),
    Field(description="JSON file {class of the truth: [classes of the network]}, or rows of image, label and class"),
    Default("found by name, WordNet id or number"),
    Shell(value="PAIRS"),
]
