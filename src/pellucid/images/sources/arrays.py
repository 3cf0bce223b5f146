"""Arrays: images in one .npz or .npy file."""

from __future__ import annotations

import hashlib
import zipfile
from functools import cached_property
from pathlib import Path

import numpy as np

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.images.remote import absolute
from pellucid.images.sources import named, source, stamped
from pellucid.images.sources._rows import numbered
from pellucid.images.sources.numbers import Numbers

_PICTURES = ("images", "pictures", "x", "data", "arr_0")
_LABELS = ("labels", "y", "targets", "arr_1")


@source("arrays", written="x.npz, x.npy", suffixes=(".npz", ".npy"))
class Arrays(Numbers):
    """`images` (N, H, W[, C]) or (N, C, H, W), and `labels` (N,) where there are any; memory-mapped where .npy."""

    def __init__(self, place: str) -> None:
        super().__init__(absolute(place))

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray | None]:
        try:
            held = np.load(Path(self.place), mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise BadImage(f"there is no {self.place!r}") from error
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise BadImage(f"cannot open {self.place!r}: {error}") from error
        if isinstance(held, np.ndarray):
            return self._checked(held), None
        names = [name for name in _PICTURES if name in held]
        labels = [name for name in _LABELS if name in held]
        if not names:
            raise BadImage(f"{self.place!r} holds {', '.join(held)}: call the images {', '.join(_PICTURES)}")
        try:
            pictures = self._checked(held[names[0]])
            numbers = held[labels[0]] if labels else None
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise BadImage(f"cannot read {self.place!r}: {error}") from error
        if numbers is not None and numbers.shape != pictures.shape[:1]:
            raise BadImage(f"{self.place!r} holds {len(pictures)} images and labels of {numbers.shape}")
        return pictures, numbers

    def _checked(self, pictures: np.ndarray) -> np.ndarray:
        if pictures.ndim not in (3, 4):
            raise BadImage(f"{self.place!r} holds an array of {pictures.shape}: images are (N, H, W) or (N, H, W, C)")
        return pictures

    @cached_property
    def _labels(self) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
        labels = self._arrays[1]
        return ((), ()) if labels is None else numbered(labels.tolist(), (), self.place)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._labels[1]

    @cached_property
    def identity(self) -> str:
        pictures = self._arrays[0]
        digest = hashlib.sha256(f"{pictures.dtype.str} {pictures.shape} {self._labels[0]}".encode())
        for i in (0, len(pictures) // 2, len(pictures) - 1) if len(pictures) else ():
            digest.update(np.ascontiguousarray(pictures[i]).tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._arrays[0])

    def name(self, i: int) -> str:
        return f"{i}"

    def label(self, i: int) -> int | None:
        labels = self._labels[0]
        return labels[i] if labels else None

    def read(self, i: int) -> Images:
        values = np.ascontiguousarray(self._arrays[0][i])
        if self.normal is None:  # nobody can have said what the numbers are
            return named(values, self.name(i), self.value_range)
        return self.image(values, self.name(i))

    def stamp(self, i: int) -> tuple[int, int] | None:
        return stamped(self.place)
