"""A folder that Hugging Face `datasets` saved (save_to_disk): its Arrow files, read without that library."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.images.remote import absolute, fetched
from pellucid.images.sources import Source, source
from pellucid.images.sources._rows import Columns, arrow, columns, numbered, picture


@source(
    "hugging_face",
    written="a folder that Hugging Face datasets saved",
    holds=("dataset_info.json", "dataset_dict.json"),
)
class HuggingFace(Source):
    """One split, row after row; memory-mapped, so that any row costs only itself."""

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        folder = Path(self.place)
        splits = _said(folder / "dataset_dict.json").get("splits")
        if splits:
            raise BadImage(
                f"{self.place!r} holds splits: name one, {self.place}/{splits[0]} of {', '.join(map(str, splits))}"
            )
        names = [str(one["filename"]) for one in _said(folder / "state.json").get("_data_files", [])]
        if not names:
            raise BadImage(f"{self.place!r} is no folder that datasets.save_to_disk wrote: no state.json in it")
        outside = next((name for name in names if Path(name).name != name), None)
        if outside:
            raise BadImage(f"{self.place!r} names a file outside itself: {outside!r}")
        return tuple(folder / name for name in names)

    @cached_property
    def _tables(self) -> tuple[Any, ...]:
        pyarrow = arrow(self.place)
        found = []
        for file in self._files:
            try:
                found.append(pyarrow.ipc.open_stream(pyarrow.memory_map(str(file))).read_all())
            except FileNotFoundError as error:
                raise BadImage(f"{self.place!r} has no {file.name}, which its state.json names") from error
            except (OSError, pyarrow.ArrowException) as error:
                raise BadImage(f"cannot read {str(file)!r} as an Arrow stream: {error}") from error
        return tuple(found)

    @cached_property
    def _chunks(self) -> tuple[list[int], list[Any]]:
        """(number of the first image of each record batch, the batch's column of images)."""
        starts, chunks, first = [], [], 0
        for table in self._tables:
            for chunk in table.column(self._columns.picture).chunks:
                starts.append(first)
                chunks.append(chunk)
                first += len(chunk)
        return starts, chunks

    @cached_property
    def _columns(self) -> Columns:
        features = _said(Path(self.place) / "dataset_info.json").get("features")
        return columns(self._tables[0].schema, self.place, features)

    @cached_property
    def _labels(self) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
        name = self._columns.label
        if name is None:
            return (), ()
        values = [value for table in self._tables for value in table.column(name).to_pylist()]
        return numbered(values, self._columns.classes, self.place)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._labels[1]

    @cached_property
    def identity(self) -> str:
        digest = hashlib.sha256()
        for file, table in zip(self._files, self._tables, strict=True):
            digest.update(f"{file.name}\0{table.num_rows}\0{file.stat().st_size}\0".encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return sum(table.num_rows for table in self._tables)

    def name(self, i: int) -> str:
        return f"{i}"

    def label(self, i: int) -> int | None:
        labels = self._labels[0]
        return labels[i] if labels else None

    def read(self, i: int) -> Images:
        if not 0 <= i < len(self):
            raise BadImage(f"no image {i} in {self.place!r}: it has {len(self)}")
        starts, chunks = self._chunks
        at = bisect_right(starts, i) - 1
        cell = chunks[at][i - starts[at]].as_py()
        return picture(cell, self.name(i), lambda path: fetched(str(Path(self.place) / path)), self.value_range)


def _said(file: Path) -> dict[str, Any]:
    """A JSON file of the folder; nothing where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadImage(f"cannot read {str(file)!r}: {error}") from error
    return found if isinstance(found, dict) else {}
