"""From shards to what is read: all statistics merged, rows written where they belong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.files import write_atomically
from pellucid.sweep.fold import Part, Rows
from pellucid.sweep.plan import Plan


def write(plan: Plan, shards: Iterable[Mapping[str, Part]], place: Path) -> None:
    """Write every array of the finished index into the folder `place`, as FOLD.NAME.npy.

    Memory does not depend on the number of images: statistics are of one size, and rows go straight to the disk.
    """
    counting = [fold for fold in plan.folds if not isinstance(fold, Rows)]
    working = {fold.name: fold.start(plan.scope) for fold in counting}
    files = {fold.name: _files(plan, fold, place) for fold in plan.folds if isinstance(fold, Rows)}
    for parts in shards:
        for fold in counting:
            fold.absorb(working[fold.name], plan.scope, parts[fold.name])
        for fold in plan.folds:
            if isinstance(fold, Rows):
                at = fold.position(plan.scope, parts[fold.name]["image"])
                for name, values in files[fold.name].items():
                    values[at] = 1 if name == "there" else parts[fold.name][name]
    for written in files.values():
        for values in written.values():
            values.flush()
    for fold in counting:
        for name, array in fold.finish(plan.scope, working.pop(fold.name)).items():
            write_atomically(place / file_of(f"{fold.name}.{name}"), partial(_save, array))


def file_of(array: str) -> str:
    """The file of an array, FOLD.NAME: a slash, which names of layers may hold, is written as in a URL."""
    return f"{array.replace('%', '%25').replace('/', '%2F')}.npy"


def _files(plan: Plan, fold: Rows[Any], place: Path) -> dict[str, np.memmap[Any, Any]]:
    """The arrays of rows, on disk: all NaN, and `there` which of the rows have been written."""
    height = fold.height(plan.scope)
    columns = {**fold.columns(plan.scope), "there": (1, np.dtype(np.uint8))}
    made = {}
    for name, (width, kind) in columns.items():
        path = place / file_of(f"{fold.name}.{name}")
        made[name] = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(height, width))
        with path.open("r+b") as file:  # a full disk is an error now, and would be a signal when a page is written
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        if kind.kind == "f":
            for start in range(0, height, 4096):
                made[name][start : start + 4096] = np.nan
    return made


def _save(values: NDArray[Any], file: IO[bytes]) -> None:
    np.save(file, values, allow_pickle=False)
