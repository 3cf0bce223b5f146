"""Numbers by step on disk: a journal that survives a power cut, packed into Parquet a block at a time.

Rows are appended to watch.jsonl and forced to disk, one by one. Whenever there are enough of them, and at the end, they
become a Parquet file of their own, whole or not there, and only then the journal is emptied: a crash in between leaves
rows twice, which `History` counts once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pellucid.errors import MissingExtra
from pellucid.files import write_atomically
from pellucid.history import arrow_and_parquet

LOG = "watch.jsonl"
ROWS = 500
"""Of a block."""


class Journal:
    """The rows of a folder. What an earlier run left in it is kept, but for a last line that was cut short."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / LOG
        folder.mkdir(parents=True, exist_ok=True)
        text = self.path.read_bytes() if self.path.exists() else b""
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            with self.path.open("r+b") as file:
                file.truncate(whole)
        self.rows = text[:whole].count(b"\n")

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row, which has a "step"; on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows += 1
        if self.rows % ROWS == 0:
            self.pack()

    def pack(self) -> bool:
        """Make a Parquet file of what the journal holds; False without pyarrow, and all stays where it is."""
        try:
            arrow, parquet = arrow_and_parquet(str(self.path))
        except MissingExtra:
            return False
        if not self.rows:
            return True
        rows = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines() if line.strip()]
        kinds = {name: arrow.float64() for row in rows for name in row} | {"step": arrow.int64()}
        table = arrow.table({name: arrow.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})
        packed = [int(one.stem.rpartition("-")[2]) for one in self.folder.glob("watch-*[0-9].parquet")]
        number = 1 + max(packed, default=0)
        place = self.folder / f"watch-{number:05d}.parquet"
        write_atomically(place, lambda file: parquet.write_table(table, file, compression="zstd"))
        self.path.unlink()
        self.rows = 0
        return True
