"""Tables of images: which column holds them, which the labels, and what the classes are called.

Both kinds of table (parquet, and the Arrow files of Hugging Face datasets) say so in the same way, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

from pellucid.errors import BadImage, MissingExtra
from pellucid.images import Images, read
from pellucid.images.arrays import Range
from pellucid.images.sources import named

_PICTURES = ("image", "img", "picture", "photo", "jpg", "png", "webp", "bytes", "image_bytes", "pixels")
_CLASSES = 10_000_000
"""No class has a larger number."""
_LABELS = ("label", "labels", "class", "target", "fine_label", "category", "cls", "y")


@dataclass(frozen=True)
class Columns:
    """Names of the columns, and of the classes; no class names where the labels are plain words or numbers."""

    picture: str
    label: str | None
    classes: tuple[str, ...]

    @property
    def asked(self) -> list[str]:
        """The columns that are read."""
        return [self.picture] if self.label is None else [self.picture, self.label]


def arrow(place: str) -> ModuleType:
    """pyarrow; MissingExtra without it."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra(f"reading {place!r}", "query") from error
    found: ModuleType = pyarrow
    return found


def columns(schema: Any, place: str, features: Mapping[str, Any] | None = None) -> Columns:
    """Where the images are: what Hugging Face's features say, else what a column is called, else the only one of
    bytes. Raises BadImage with the columns that there are.
    """
    features = features or _features(schema)
    kinds = {field.name: _holds_bytes(field.type) for field in schema}
    said = [name for name, one in features.items() if name in kinds and _kind(one) == "Image"]
    lower = {name.lower(): name for name in kinds}
    usual = [lower[name] for name in _PICTURES if name in lower and kinds[lower[name]]]
    only = [name for name, fits in kinds.items() if fits]
    picture = next(iter(said or usual or (only if len(only) == 1 else [])), None)
    if picture is None:
        listed = ", ".join(kinds) or "no columns"
        raise BadImage(f"{place!r} has no column of images among {listed}: call the one of encoded bytes 'image'")
    classes = {name: tuple(one.get("names") or ()) for name, one in features.items() if _kind(one) == "ClassLabel"}
    label = next((lower[name] for name in _LABELS if name in lower), None) or next(iter(classes), None)
    return Columns(picture, label, classes.get(label or "", ()))


def numbered(values: Sequence[Any], known: Sequence[str], place: str) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
    """(class of each row, names of the classes): numbers as they are, words in their order."""
    if any(not isinstance(value, (int, str)) for value in values if value is not None):
        return (None,) * len(values), ()  # several labels each, or measured ones: no classes
    there = {value for value in values if value is not None}
    if any(isinstance(value, int) and value > _CLASSES for value in there):
        raise BadImage(f"{place!r} has class number {max(v for v in there if isinstance(v, int))}: {_CLASSES} at most")
    if all(isinstance(value, int) for value in there):
        least = [value for value in there if value < 0]  # −1 is how Hugging Face writes an unknown class
        names = tuple(known) or tuple(map(str, range(max(there, default=-1) + 1)))
        over = [value for value in there if value >= len(names)]
        if over:
            raise BadImage(f"{place!r} has label {over[0]} and only {len(names)} classes")
        return tuple(None if value is None or value in least else value for value in values), names
    if all(isinstance(value, str) for value in there):
        names = tuple(sorted(there))
        number = {name: i for i, name in enumerate(names)}
        return tuple(None if value is None else number[value] for value in values), names
    return (None,) * len(values), ()


def picture(value: Any, name: str, elsewhere: Callable[[str], bytes], value_range: Range | None) -> Images:
    """The image in a cell: bytes, or {bytes, path} where the bytes may lie in a file of their own."""
    path = None
    if isinstance(value, Mapping):
        value, path = value.get("bytes"), value.get("path")
    if value is None and path:
        if "://" in str(path) or PurePosixPath(str(path)).is_absolute() or ".." in PurePosixPath(str(path)).parts:
            raise BadImage(f"{name!r} lies outside its table's folder, at {str(path)[:80]!r}: it is not read")
        value = elsewhere(str(path))
    if value is None:
        raise BadImage(f"{name!r} has no image: its cell is empty")
    if isinstance(value, (bytes, bytearray)):
        return named(bytes(value), name, value_range)
    return read(value, value_range=value_range)


def _features(schema: Any) -> Mapping[str, Any]:
    """What Hugging Face wrote about the columns; nothing where others wrote the table."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = said["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _kind(feature: Any) -> str:
    return str(feature.get("_type", "")) if isinstance(feature, Mapping) else ""


def _holds_bytes(kind: Any) -> bool:
    """Encoded bytes, or a struct of them and a path."""
    if str(kind).startswith("struct<"):
        return any(field.name == "bytes" and "binary" in str(field.type) for field in kind)
    return "binary" in str(kind)
