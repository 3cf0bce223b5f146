"""Rows of numbers that are measured on the images of a finished index, and kept with it, a block after another.

Whoever stops on the way has lost the block under way and nothing else; no more than a block is held at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.index.opened import Opened
from pellucid.progress import steps, stop_point
from pellucid.sweep import _disk
from pellucid.sweep._disk import BadStore

BLOCK = 256
"""Images of a block."""
Block = tuple[Int64[np.ndarray, " n"], dict[str, NDArray[np.float32]]]
"""(numbers of the images, for each name their rows (n, …))."""


def measured(
    index: Opened, widths: Mapping[str, int], measure: Callable[[list[int], Sequence[str]], Block], what: str
) -> Iterator[Block]:
    """The rows of every block of images, by name, as wide as is said for each. `measure(images, names)` is asked for
    what is not kept yet, and may leave out images that cannot be read any more: such a block is not kept, for one day
    all may be back. A name says all that its rows depend on besides the index. `what` is the step of progress, a block.
    """
    images = np.array([i for i in range(index.n_images) if i not in index.unreadable], np.int64)
    blocks = np.split(images, range(BLOCK, len(images), BLOCK)) if len(images) else []
    for k in steps(range(len(blocks)), what):
        mine, there = blocks[k], dict[str, NDArray[np.float32]]()
        for name, width in widths.items():
            rows = _kept(index, name, k, mine)
            if rows is not None and rows.shape == (len(mine), width) and rows.dtype == np.float32:
                there[name] = rows
        missing = [name for name in widths if name not in there]
        if missing:
            stop_point()
            numbers, found = measure(mine.tolist(), missing)
            if len(numbers) == len(mine):
                for name, rows in found.items():
                    _keep(index, name, k, mine, rows)
            there = {name: rows[np.isin(mine, numbers)] for name, rows in there.items()} | found
            mine = numbers
        yield mine, there


def _kept(index: Opened, name: str, block: int, images: NDArray[np.int64]) -> NDArray[Any] | None:
    """The rows of a block; None where there are none, or damaged, or of other images."""
    try:
        parts, about = _disk.unpack(_path(index, name, block))
    except BadStore:
        return None
    held = parts.get("kept", {})
    same = about.get("digest") == index.identity and np.array_equal(held.get("images", ()), images)
    return held.get("rows") if same else None


def _keep(index: Opened, name: str, block: int, images: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
    """Where nobody may write, they are measured again."""
    path = _path(index, name, block)
    with suppress(PellucidError, OSError):
        path.parent.mkdir(exist_ok=True)
        _disk.pack(path, {"kept": {"images": images, "rows": rows}}, {"digest": index.identity})


def _path(index: Opened, name: str, block: int) -> Path:
    return index.store.folder / "measured" / f"{name}-{block:06d}.npz"
