"""Images with a class for every pixel: what a unit is compared with to say which concept it detects."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from jaxtyping import Int
from PIL import Image
from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import BadImage
from pellucid.geometry import View
from pellucid.images import Images, pictures_in, read
from pellucid.images.hidden import hidden
from pellucid.nouns import Noun

_HOW = "a folder with images/, masks/ (PNG of class numbers, 0 for none) and classes.csv, .json or .yaml"
_MOST = 10**8  # pixels of a mask
_ONE = "concept"
"""The category of concepts that have none."""


@dataclass(frozen=True, eq=False)
class Concepts(Noun):
    """A folder of images and of masks: `images/x.jpg` and `masks/x.png`, whose pixels are class numbers, 0 for none.

    The names of the classes come from `classes.csv` (number,name or number,name,category), `classes.json`
    ({number: name}) or `classes.yaml` (lines `number: name`).
    """

    written, format = "CONCEPTS", "concepts"
    place: str
    names: Mapping[int, str]
    categories: Mapping[int, str]
    files: tuple[tuple[Path, Path], ...]

    @classmethod
    def of(cls, value: Concepts | str | Path) -> Concepts:
        """The concepts in a folder. Raises BadImage in one line where it is none of that kind."""
        if isinstance(value, Concepts):
            return value
        folder = Path(str(value)).expanduser()
        if not (folder / "images").is_dir() or not (folder / "masks").is_dir():
            raise BadImage(f"{str(value)!r} holds no concepts: {_HOW}")
        names, categories = _classes(folder)
        masks = {path.stem: path for path in sorted((folder / "masks").glob("*.png")) if not hidden(path.name)}
        pictures = [path for path in pictures_in(folder / "images") if path.stem in masks]
        if not pictures:
            raise BadImage(f"no image in {str(value)!r} has a mask of its name: images/x.jpg needs masks/x.png")
        return cls(str(value), names, categories, tuple((path, masks[path.stem]) for path in pictures))

    def __len__(self) -> int:
        return len(self.files)

    def __str__(self) -> str:
        return self.place

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"place": Path(self.place).name, "images": len(self), "concepts": len(self.names)}

    @property
    def identity(self) -> str:
        """Files count as equal by name, size and time."""
        stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for pair in self.files for path in pair]
        return json.dumps([stamps, sorted(self.names.items()), sorted(self.categories.items())])

    def plain(self) -> str:
        """The folder."""
        return self.place

    def name(self, i: int) -> str:
        """What image i is called."""
        return self.files[i][0].name

    def read(self, i: int) -> Images:
        """Image i."""
        return read(self.files[i][0])

    def mask(self, i: int, view: View) -> Int[np.ndarray, "height width"]:
        """The class of every pixel of the network's input, which shows image i by that view: the nearest of the mask.

        Raises BadImage where the mask is not of the image's size, or no image of numbers.
        """
        path = self.files[i][1]
        mask = _numbers(path)
        if mask.shape != view.original:
            have, want = ("×".join(map(str, shape)) for shape in (mask.shape, view.original))
            raise BadImage(f"the mask {path.name!r} is {have}, its image {want}")
        strange = sorted(set(np.unique(mask).tolist()) - {0, *self.names})
        if strange:
            raise BadImage(f"the mask {path.name!r} has class {strange[0]}, which has no name: {len(self.names)} have")
        (top, left, bottom, right), (height, width) = view.box, view.size
        rows = np.floor(top + (np.arange(height) + 0.5) * (bottom - top) / height).astype(int)
        columns = np.floor(left + (np.arange(width) + 0.5) * (right - left) / width).astype(int)
        inside = np.outer((rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1]))
        found = mask[rows.clip(0, mask.shape[0] - 1)[:, None], columns.clip(0, mask.shape[1] - 1)[None]]
        return np.where(inside, found, 0)


def _found(value: Concepts | str | Path) -> Any:
    """A folder's concepts; anything else as it is, for the declaration to refuse."""
    return Concepts.of(value) if isinstance(value, (str, Path)) else value


ConceptsOption = Annotated[InstanceOf[Concepts], BeforeValidator(_found)]


def _numbers(path: Path) -> Int[np.ndarray, "rows columns"]:
    try:
        with Image.open(path, formats=("PNG", "BMP", "TIFF", "GIF")) as picture:
            if picture.width * picture.height > _MOST or picture.mode not in ("1", "L", "P", "I", "I;16"):
                raise BadImage(
                    f"the mask {path.name!r} is an image of mode {picture.mode}, {picture.width} × {picture.height}: "
                    "a PNG with one number for each pixel is needed"
                )
            return np.asarray(picture).astype(np.int64)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadImage(f"the mask {path.name!r} cannot be read: {error}") from error


def _classes(folder: Path) -> tuple[dict[int, str], dict[int, str]]:
    """(names, categories) by number, without 0."""
    readers = {"classes.csv": _from_csv, "classes.json": _from_json, "classes.yaml": _from_yaml}
    for name, reader in readers.items():
        if (folder / name).is_file():
            try:
                rows = reader((folder / name).read_text(encoding="utf-8"))
                named = {int(row[0]): row for row in rows if int(row[0]) != 0}
            except (OSError, ValueError, IndexError, AttributeError, csv.Error) as error:
                raise BadImage(f"{name} of {str(folder)!r} cannot be read: {error}") from error
            if not named:
                raise BadImage(f"{name} of {str(folder)!r} names no class: lines of number and name are needed")
            return (
                {number: str(row[1]) for number, row in sorted(named.items())},
                {number: str(row[2]) if len(row) > 2 and row[2] else _ONE for number, row in sorted(named.items())},
            )
    raise BadImage(f"{str(folder)!r} does not say what its classes are called: {_HOW}")


def _from_csv(text: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    return rows if rows and rows[0][0].lstrip("-").isdigit() else rows[1:]


def _from_json(text: str) -> list[list[Any]]:
    return [[number, name] for number, name in json.loads(text).items()]


def _from_yaml(text: str) -> list[list[str]]:
    """Lines such as `  3: car`; other lines mean something else."""
    found = re.findall(r"^\s*(\d+)\s*:\s*(?:\"([^\"]*)\"|'([^']*)'|([^#\n]*))", text, re.MULTILINE)
    return [[number, (one or two or three).strip()] for number, one, two, three in found]
