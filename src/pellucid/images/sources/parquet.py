"""Parquet: encoded images in a column, as Hugging Face and others write them; here or behind URLs."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.images.hidden import hidden
from pellucid.images.remote import absolute, fetched, last, opened
from pellucid.images.sources import Source, expanded, source, stamped
from pellucid.images.sources._rows import Columns, arrow, columns, numbered, picture

_HELD = 512 * 2**20
"""Bytes of row groups that are kept: images come in no order, and a group is read whole for one of them."""


@source("parquet", written="x.parquet or a folder of them", suffixes=(".parquet",), holds=("*.parquet",))
class Parquet(Source):
    """One file, several (`train-{00000..00005}-of-00006.parquet`), or a folder of them, row after row.

    The column is found by its features, its name (image, jpg …) or as the only one of bytes; labels are numbers or
    words. Files with small row groups are read faster: an image costs its group.
    """

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[int, int], Any] = OrderedDict()

    @cached_property
    def _files(self) -> tuple[str, ...]:
        folder = Path(self.place)
        found = expanded(self.place)
        if folder.is_dir():
            found = [str(path) for path in sorted(folder.glob("*.parquet")) if not hidden(path.name)]
        if not found:
            raise BadImage(f"no .parquet in the folder {self.place!r}")
        return tuple(found)

    @cached_property
    def _footers(self) -> tuple[Any, ...]:
        return tuple(self._open(file, lambda table: table.metadata) for file in self._files)

    @cached_property
    def _groups(self) -> tuple[tuple[int, int, int], ...]:
        """(file, row group, number of its first image)."""
        found, first = [], 0
        for i, footer in enumerate(self._footers):
            for group in range(footer.num_row_groups):
                found.append((i, group, first))
                first += footer.row_group(group).num_rows
        return tuple(found)

    @cached_property
    def _starts(self) -> list[int]:
        return [first for _, _, first in self._groups]

    @cached_property
    def _columns(self) -> Columns:
        found: Columns = self._open(self._files[0], lambda table: columns(table.schema_arrow, self.place))
        return found

    @cached_property
    def _labels(self) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
        name = self._columns.label
        if name is None:
            return (), ()
        values = [v for f in self._files for v in self._open(f, lambda t: t.read([name])).column(name).to_pylist()]
        return numbered(values, self._columns.classes, self.place)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._labels[1]

    @cached_property
    def identity(self) -> str:
        digest = hashlib.sha256()
        for file, footer in zip(self._files, self._footers, strict=True):
            groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
            sizes = [(group.num_rows, group.total_byte_size) for group in groups]
            digest.update(f"{last(file)}\0{sizes}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def __len__(self) -> int:
        return sum(footer.num_rows for footer in self._footers)

    def name(self, i: int) -> str:
        file, row = self._row(i)
        return f"{last(self._files[file])}/{row}"

    def label(self, i: int) -> int | None:
        labels = self._labels[0]
        return labels[i] if labels else None

    def read(self, i: int) -> Images:
        at = bisect_right(self._starts, i) - 1
        file, group, first = self._groups[at]
        cell = self._group(file, group)[i - first].as_py()
        beside = self._files[file].rpartition("/")[0]
        return picture(
            cell, self.name(i), lambda path: fetched(f"{beside}/{path}" if beside else path), self.value_range
        )

    def stamp(self, i: int) -> tuple[int, int] | None:
        return stamped(self._files[self._row(i)[0]])

    def _row(self, i: int) -> tuple[int, int]:
        """(file, row in it) of an image."""
        if not 0 <= i < len(self):
            raise BadImage(f"no image {i} in {self.place!r}: it has {len(self)}")
        file = self._groups[bisect_right(self._starts, i) - 1][0]
        return file, i - sum(footer.num_rows for footer in self._footers[:file])

    def _group(self, file: int, group: int) -> Any:
        """The images' column of a row group."""
        with self._lock:
            if (file, group) not in self._held:
                name = self._columns.picture
                found = self._open(self._files[file], lambda table: table.read_row_group(group, [name])).column(name)
                self._held[file, group] = found
                while len(self._held) > 1 and sum(one.nbytes for one in self._held.values()) > _HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end((file, group))
            return self._held[file, group]

    def _open(self, file: str, work: Any) -> Any:
        """`work` on a parquet file that is open. Raises BadImage where it is none, or damaged."""
        pyarrow = arrow(file)
        import pyarrow.parquet as parquet

        with opened(file) as stream:
            try:
                with parquet.ParquetFile(stream, page_checksum_verification=True) as table:
                    return work(table)
            except pyarrow.ArrowException as error:
                raise BadImage(f"cannot read {file!r} as parquet: {error}") from error
