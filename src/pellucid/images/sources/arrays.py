"""Arrays: pictures in one .npz or .npy file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from pellucid.errors import BadImage
from pellucid.images import Images, read
from pellucid.images.sources import Source

_PICTURES = ("images", "pictures", "x", "data", "arr_0")
_LABELS = ("labels", "y", "targets", "arr_1")


class Arrays(Source):
    """`images` (N, H, W[, C]) or (N, C, H, W), and `labels` (N,) where there are any; memory-mapped where .npy."""

    kind = "arrays"

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray | None]:
        try:
            held = np.load(Path(self.place).expanduser(), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise BadImage(f"cannot open {self.place!r}: {error}") from error
        if isinstance(held, np.ndarray):
            return self._checked(held), None
        names = [name for name in _PICTURES if name in held]
        labels = [name for name in _LABELS if name in held]
        if not names:
            raise BadImage(f"{self.place!r} holds {', '.join(held)}: call the pictures {', '.join(_PICTURES)}")
        return self._checked(held[names[0]]), held[labels[0]] if labels else None

    def _checked(self, pictures: np.ndarray) -> np.ndarray:
        if pictures.ndim not in (3, 4):
            raise BadImage(f"{self.place!r} holds an array of {pictures.shape}: pictures are (N, H, W) or (N, H, W, C)")
        return pictures

    @property
    def classes(self) -> tuple[str, ...]:
        labels = self._arrays[1]
        return () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))

    def __len__(self) -> int:
        return len(self._arrays[0])

    def name(self, i: int) -> str:
        return f"{i}"

    def label(self, i: int) -> int | None:
        labels = self._arrays[1]
        return None if labels is None else int(labels[i])

    def read(self, i: int) -> Images:
        return read(np.ascontiguousarray(self._arrays[0][i]))
