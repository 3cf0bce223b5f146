"""Files that say where things lie in pictures: CSV, COCO, YOLO, Pascal VOC, and masks. Nothing in them is run."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from pellucid.errors import PellucidError
from pellucid.evaluation.things import Box, Polygons, Runs, Size, Stencil, Thing, check_mask, mask_numbers
from pellucid.images.hidden import hidden

_LARGEST = 2**30  # bytes of a file that is read as a whole
_COLUMNS = {
    "image": ("image", "file", "filename", "file_name", "path", "imageid", "image_id", "name"),
    "label": ("label", "class", "cls", "category", "labelname", "class_name"),
    "left": ("x1", "xmin", "left"), "top": ("y1", "ymin", "top"),
    "right": ("x2", "xmax", "right"), "bottom": ("y2", "ymax", "bottom"),
    "difficult": ("difficult",),
}  # fmt: skip
_SIDES = ("left", "top", "right", "bottom")
_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_VOID = {255}
"""What masks hold where nobody has decided, unless a class has that number."""
WAYS = (
    "a .csv with columns image, label, x1, y1, x2, y2; a COCO .json; a folder of YOLO .txt, of Pascal VOC .xml or of "
    "mask .png"
)


@dataclass
class Found:
    """What a file or a folder says: things by the name of their picture, and sizes of pictures where it has them."""

    things: dict[str, list[Thing]]
    sizes: dict[str, Size]

    def add(self, image: str, *things: Thing, size: Size | None = None) -> None:
        """Things of a picture, which may have none."""
        self.things.setdefault(image, []).extend(things)
        if size is not None:
            self.sizes[image] = size


def found_in(place: Path) -> Found:
    """What lies there. PellucidError in one line where that is nothing of the kind."""
    if place.is_dir():
        return _folder(place)
    readers = {".csv": _csv, ".json": _json, ".xml": _voc_file}
    if not place.is_file():
        raise PellucidError(f"no file or folder {str(place)!r}: boxes and masks are {WAYS}")
    if place.suffix.lower() not in readers:
        raise PellucidError(f"{str(place)!r} says nothing of where things are: {WAYS}")
    found = Found({}, {})
    readers[place.suffix.lower()](place, found)
    return found


def _folder(place: Path) -> Found:
    found = Found({}, {})
    readers: dict[str, Callable[[Path, list[Path], Found], None]] = {".xml": _voc, ".txt": _yolo, ".png": _masks}
    files = [path for path in sorted(place.rglob("*")) if path.is_file() and not hidden(path.name)]
    for suffix, reader in readers.items():
        some = [path for path in files if path.suffix.lower() == suffix and path.stem.lower() not in _NAMES_OF_CLASSES]
        if some:
            reader(place, some, found)
            return found
    raise PellucidError(f"the folder {str(place)!r} says nothing of where things are: {WAYS}")


def text_of(path: Path) -> str:
    """A file of text. PellucidError where it is none."""
    try:
        if path.stat().st_size > _LARGEST:
            raise PellucidError(f"{path.name!r} is larger than {_LARGEST >> 20} MB")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PellucidError(f"{path.name!r} cannot be read: {error}") from error


def box_of(numbers: Any, where: str) -> Box:
    """(left, top, right, bottom) of numbers or texts. PellucidError that says where they stand."""
    try:
        given = list(numbers)
    except TypeError:
        given = [numbers]
    try:
        left, top, right, bottom = (float(one) for one in given)
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{where}: no box in {given}: left, top, right and bottom are needed") from error
    if not all(map(math.isfinite, (left, top, right, bottom))) or right <= left or bottom <= top:
        said = ", ".join(str(one) for one in given)
        raise PellucidError(
            f"{where}: the box {said} has no area: its right is beyond its left, its bottom below its top"
        )
    return left, top, right, bottom


def _csv(path: Path, found: Found) -> None:
    """Rows under a header. Numbers that are all between 0 and 1 are shares of the picture's sides."""
    rows = list(csv.reader(text_of(path).splitlines()))
    head = [one.strip().lower() for one in rows[0]] if rows else []
    at = {key: next((head.index(one) for one in names if one in head), None) for key, names in _COLUMNS.items()}
    lacking = [key for key in ("image", *_SIDES) if at[key] is None]
    if lacking:
        said = ", ".join(_COLUMNS[key][0] for key in lacking)
        raise PellucidError(f"{path.name!r} has no column {said}: its first line is {','.join(head)[:80]!r}")
    read = []
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path.name!r}, line {number}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(head):
            raise PellucidError(f"{where} has {len(row)} cells, the first line {len(head)}")
        cells = {key: "" if k is None else row[k].strip() for key, k in at.items()}
        if not cells["image"]:
            raise PellucidError(f"{where} names no image")
        flag = _YES.get(cells["difficult"].lower()) if cells["difficult"] else None
        if cells["difficult"] and flag is None:
            raise PellucidError(f"{where}: difficult is {cells['difficult']!r}, neither 0 nor 1")
        read.append((cells["image"], cells["label"], box_of((cells[key] for key in _SIDES), where), flag))
    if not read:
        raise PellucidError(f"{path.name!r} has no rows below its first line")
    relative = max(max(box) for _, _, box, _ in read) <= 1
    for image, label, box, flag in read:
        found.add(image, Thing(label, box, None, relative, flag))


def things_of(said: Any, where: str) -> tuple[Thing, ...]:
    """Things from (label, box) each. PellucidError where they are none."""
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise PellucidError(f"{where}: {str(said)[:60]!r} is no list of (label, (left, top, right, bottom))")
    found = []
    for one in said:
        if not isinstance(one, Sequence) or isinstance(one, str) or len(one) != 2 or isinstance(one[1], (str, float)):
            raise PellucidError(f"{where}: {str(one)[:60]!r} is not (label, (left, top, right, bottom))")
        found.append(Thing(str(one[0]), box_of(one[1], where)))
    return tuple(found)


def _json(path: Path, found: Found) -> None:
    """COCO, or {image: [[label, [left, top, right, bottom]], …]}."""
    said = as_json(path)
    if not isinstance(said, Mapping) or not said or "annotations" in said or "images" in said:
        _coco(path, found, said)
        return
    for image, some in said.items():
        found.add(image, *things_of(some, f"{path.name!r}, {image!r}"))


def _coco(path: Path, found: Found, said: Any) -> None:
    """COCO's objects: a box (x, y, width, height) each, and an outline where there is one."""
    parts = [said.get(key) if isinstance(said, Mapping) else None for key in ("images", "categories", "annotations")]
    if not all(isinstance(part, list) for part in parts):
        raise PellucidError(f"{path.name!r} is no COCO file: lists images, categories and annotations are needed")
    images, categories, annotations = parts
    try:
        names = {one["id"]: str(one["name"]) for one in categories or ()}
        files = {one["id"]: str(one["file_name"]) for one in images or ()}
        sizes = {one["id"]: (int(one["height"]), int(one["width"])) for one in images or () if "height" in one}
    except (KeyError, TypeError, ValueError) as error:
        raise PellucidError(f"{path.name!r}: an image or a category lacks {error}") from error
    for key, name in files.items():
        found.add(name, size=sizes.get(key))
    for k, one in enumerate(annotations or ()):
        where = f"{path.name!r}, annotation {k}"
        if not isinstance(one, Mapping) or one.get("image_id") not in files or one.get("category_id") not in names:
            raise PellucidError(f"{where} is about no image or category of the file")
        box = one.get("bbox")
        try:
            outline = _outline(one.get("segmentation"))
            if isinstance(box, list) and len(box) == 4:
                box = [box[0], box[1], box[0] + box[2], box[1] + box[3]]
        except (KeyError, TypeError, ValueError) as error:
            raise PellucidError(f"{where} has a box or an outline that cannot be read: {error}") from error
        edges = None if box is None and outline is not None else box_of(box if isinstance(box, list) else (box,), where)
        found.add(files[one["image_id"]], Thing(names[one["category_id"]], edges, outline))


def _outline(said: Any) -> Polygons | Runs | None:
    """ValueError, KeyError or TypeError where it is none."""
    if not said:
        return None
    if isinstance(said, Mapping):
        height, width = (int(one) for one in said["size"])
        return Runs.of(said["counts"], (height, width))
    points = tuple(tuple(float(x) for x in one) for one in said)
    if any(len(one) < 6 or len(one) % 2 or not all(map(math.isfinite, one)) for one in points):
        raise ValueError("a polygon has three corners at least, x and y of each")
    return Polygons(points)


def _voc(place: Path, files: list[Path], found: Found) -> None:
    for path in files:
        _voc_file(path, found)


def _voc_file(path: Path, found: Found) -> None:
    """Pascal VOC: pixels are counted from 1, and the last one belongs to the box. Its `difficult` says that a thing is
    hard to recognize, which is another matter than being small beside others.
    """
    text = text_of(path)
    if re.search(r"<!\s*(?:DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise PellucidError(f"{path.name!r} declares entities, which no annotation needs: it is not read")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise PellucidError(f"{path.name!r} is no XML: {error}") from error
    if root.tag != "annotation":
        raise PellucidError(f"{path.name!r} is no Pascal VOC file: it begins with <{root.tag}>, not <annotation>")
    size = tuple(root.findtext(f"size/{side}", "").strip() for side in ("height", "width"))
    image = (root.findtext("filename") or path.stem).strip()
    known = all(one.isdecimal() and int(one) for one in size)
    found.add(image, size=(int(size[0]), int(size[1])) if known else None)
    for k, one in enumerate(root.iter("object")):
        where = f"{path.name!r}, object {k}"
        sides = [one.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
        label = (one.findtext("name") or "").strip()
        if not label:
            raise PellucidError(f"{where} has no name")
        left, top, right, bottom = box_of((*_less(sides[:2]), *sides[2:]), where)
        found.add(image, Thing(label, (left, top, right, bottom)))


def _less(sides: list[str | None]) -> list[Any]:
    """Counted from 0; what is no number is left for the check of boxes."""
    try:
        return [float(one or "") - 1 for one in sides]
    except ValueError:
        return list(sides)


_NAMES_OF_CLASSES = {"classes", "labels", "names", "obj", "readme", "notes"}
"""Text files beside those of YOLO that are about no picture."""


def _yolo(place: Path, files: list[Path], found: Found) -> None:
    """Lines `class x y width height`, the middle of the box and its sides as shares of the picture's; or `class` and
    the corners of a polygon.
    """
    names = yolo_names(place)
    for path in files:
        found.add(path.relative_to(place).with_suffix("").as_posix())
        for number, line in enumerate(text_of(path).splitlines(), start=1):
            where, cells = f"{path.name!r}, line {number}", line.split()
            if not cells:
                continue
            try:
                values = [float(one) for one in cells[1:]]
                label = names.get(int(cells[0]), "")
            except ValueError as error:
                raise PellucidError(f"{where} is not: class x y width height") from error
            if not label:
                raise PellucidError(f"{where}: class {cells[0]} has no name in {_NAMED_BY}, which has {len(names)}")
            outline = None
            if len(values) > 5 and len(values) % 2 == 0:
                outline, x, y = Polygons((tuple(values),), relative=True), values[::2], values[1::2]
                edges: tuple[Any, ...] = (min(x), min(y), max(x), max(y))
            elif len(values) in (4, 5):  # the fifth says how sure a detector was
                x1, y1, wide, high = values[:4]
                edges = (x1 - wide / 2, y1 - high / 2, x1 + wide / 2, y1 + high / 2)
            else:
                raise PellucidError(f"{where} has {len(values)} numbers after its class: x y width height are needed")
            box = box_of(edges, where)
            if max(map(abs, box)) > 2:
                raise PellucidError(f"{where}: its numbers are no shares of the picture's sides, 0 to 1")
            found.add(path.relative_to(place).with_suffix("").as_posix(), Thing(label, box, outline, relative=True))


_NAMED_BY = "classes.txt in the folder (a name in each line), or a .yaml with names: in it or beside it"


def yolo_names(place: Path) -> dict[int, str]:
    """The names of YOLO's classes. PellucidError where none are there."""
    for path in (place / "classes.txt", *sorted(place.glob("*.names"))):
        if path.is_file():
            return dict(enumerate(line.strip() for line in text_of(path).splitlines() if line.strip()))
    for path in (one for folder in (place, place.parent) for one in sorted(folder.glob("*.y*ml"))):
        names = _yaml_names(text_of(path))
        if names:
            return names
    raise PellucidError(f"the folder {str(place)!r} has numbers of classes and no names: put {_NAMED_BY}")


def _yaml_names(text: str) -> dict[int, str]:
    """What stands under `names:`, as [a, b], as lines `- a` or as lines `0: a`; empty where nothing does."""
    head = re.search(r"^names\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if head is None:
        return {}
    if head[1].lstrip().startswith(("[", "{")):
        start = head.start(1)
        inside = re.split(r"[\]}]", text[start:], maxsplit=1)[0].strip().lstrip("[{")
        parts = [_bare(one) for one in inside.replace("\n", " ").split(",") if one.strip()]
        pairs = [re.fullmatch(r"(\d+)\s*:\s*(.+)", one) for one in parts]
        return {int(one[1]): _bare(one[2]) for one in pairs if one} or dict(enumerate(parts))
    found: dict[int, str] = {}
    for line in text[head.end() :].splitlines():
        said = re.match(r"\s*(?:-\s*|(?P<number>\d+)\s*:\s*)(?P<name>[^#]+)", line)
        if said:
            found[int(said["number"] or len(found))] = _bare(said["name"])
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return found


def _bare(text: str) -> str:
    return text.strip().strip("'\"").strip()


def _masks(place: Path, files: list[Path], found: Found) -> None:
    """Masks of class numbers where a file beside them names the classes; else whatever is not 0 is one thing, of the
    class that its folder is called after, if it lies in one.
    """
    names = _mask_names(place)
    for path in files:
        inside = path.relative_to(place)
        if names:
            numbers = sorted({int(one) for one in np.unique(mask_numbers(path))} - {0, *(_VOID - {*names})})
            strange = next((one for one in numbers if one not in names), None)
            if strange is not None:
                raise PellucidError(
                    f"the mask {path.name!r} holds {strange}, which no class has: {len(names)} are named"
                )
            things = [Thing(names[one], outline=Stencil(path, one)) for one in numbers]
            found.add(inside.with_suffix("").as_posix(), *things)
        else:
            check_mask(path)
            label = inside.parts[0] if len(inside.parts) > 1 else ""
            found.add(path.stem, Thing(label, outline=Stencil(path, None)))


def _mask_names(place: Path) -> dict[int, str]:
    """Number -> name from classes.csv, .json or .yaml in the folder or beside it; empty where there is none."""
    for folder in (place, place.parent):
        for path in (folder / f"classes.{kind}" for kind in ("csv", "json", "yaml")):
            if path.is_file():
                names = _numbered(path)
                if not names:
                    raise PellucidError(f"{path.name!r} names no class: a number and a name are needed in each line")
                return names
    return {}


def _numbered(path: Path) -> dict[int, str]:
    if path.suffix == ".json":
        said = as_json(path)
        pairs = said.items() if isinstance(said, Mapping) else ()
        return {int(key): str(name) for key, name in pairs if str(key).isdecimal()}
    if path.suffix == ".csv":
        rows = [row for row in csv.reader(text_of(path).splitlines()) if len(row) > 1]
        return {int(row[0]): row[1].strip() for row in rows if row[0].strip().isdecimal()}
    lines = re.findall(r"^\s*(\d+)\s*:\s*([^#\n]+)", text_of(path), re.MULTILINE)
    return {int(number): _bare(name) for number, name in lines}


def as_json(path: Path) -> Any:
    """What a JSON file holds. PellucidError where it is none."""
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise PellucidError(f"{path.name!r} is no JSON: {error}") from error
