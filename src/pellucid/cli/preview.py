"""Unfinished pictures in a file that whoever waits may look at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid import progress
from pellucid.errors import PellucidError
from pellucid.files import write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAUSE = 2.0  # seconds between two versions


@contextmanager
def previewing(file: str | None) -> Iterator[None]:
    """Inside, `file` always holds a whole picture, at most a few seconds old."""
    if file is None:
        yield
        return
    path, last = Path(file).expanduser(), -_PAUSE
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise PellucidError(f"--preview {file!r}: a .png file in a folder that exists")

    def viewer(picture: NDArray[np.uint8]) -> None:
        nonlocal last
        if time.monotonic() - last < _PAUSE:
            return
        from PIL import Image

        shown = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3])
        write_atomically(path, lambda out: shown.save(out, "PNG"))
        last = time.monotonic()

    with progress.view(viewer):
        yield
