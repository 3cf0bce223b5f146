"""What the network saw of every image, small, so that a map or a list need not read the images again."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, final

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from pellucid.sweep.fold import Held, OfEveryImage, Scope
from pellucid.sweep.observed import Batch, Observes

SIDE = 64
"""Of a small picture, in pixels."""
_QUALITIES = (80, 70, 60, 45, 30, 15)
_GRAY = 127


@dataclass(frozen=True, eq=False)
class KeptThumbnails:
    """What the network saw of each image, small, as an index holds it."""

    side: int
    """Pixels of the longer side, fewer where the network sees fewer."""
    held: Held

    def of(self, image: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """That of one image; None where the image could not be read when the index was made."""
        if not self._there[image, 0]:
            return None
        return self._decoded(self._jpeg[image, : int(self._length[image, 0])].tobytes())

    def _decoded(self, jpeg: bytes) -> UInt8[np.ndarray, "h w 3"]:
        try:
            with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
                if max(picture.size) > self.side:  # no index makes its reader decode what fills memory
                    raise ValueError("larger than the index says")
                return np.asarray(picture.convert("RGB"))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise self.held.damaged(f"a thumbnail in it is no picture of {self.side} pixels") from error

    @cached_property
    def _there(self) -> NDArray[Any]:
        return self.held["there"]

    @cached_property
    def _length(self) -> NDArray[Any]:
        return self.held["length"]

    @cached_property
    def _jpeg(self) -> NDArray[Any]:
        return self.held["jpeg"]


@final
@dataclass(frozen=True)
class Thumbnails(OfEveryImage[KeptThumbnails]):
    """What the network saw of every image, as a JPEG in a row of one length, at the best quality that fits into it: of
    photos at 64 pixels mostly 80. Raw pixels would be six times as much, of a quarter of the size still more.
    """

    name: ClassVar[str] = "thumbnails"
    absent: ClassVar[str] = "the index keeps no thumbnails: make it with --thumbnail-side 64"
    spare: ClassVar[bool] = True
    thumbnail_side: Annotated[
        int,
        Field(
            ge=0,
            le=256,
            description="longer side in pixels of the thumbnail that is kept of every image, about 3.5 kB on disk at "
            "64; 0: none is kept",
        ),
    ] = SIDE

    @property
    def observes(self) -> Observes:
        return Observes(pictures=True)

    @property
    def room(self) -> int:
        """Bytes for one: tables that every JPEG has, and 3 bits for each pixel."""
        return 512 + 3 * self.thumbnail_side**2 // 8

    def settled(self, scope: Scope) -> Thumbnails | None:
        return self if self.thumbnail_side else None

    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"jpeg": (self.room, np.dtype(np.uint8)), "length": (1, np.dtype(np.uint16))}

    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        jpeg = np.zeros((len(batch.images), self.room), np.uint8)
        length = np.zeros((len(batch.images), 1), np.uint16)
        for i, pixels in enumerate(batch.pictures):
            packed = packed_into(self.room, fitted(pixels, min(self.thumbnail_side, max(pixels.shape[:2]))))
            jpeg[i, : len(packed)] = np.frombuffer(packed, np.uint8)
            length[i] = len(packed)
        return batch.images, {"jpeg": jpeg, "length": length}

    def read(self, held: Held) -> KeptThumbnails:
        return KeptThumbnails(self.thumbnail_side, held)


def fitted(pixels: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "a b 3"]:
    """Pixels whose longer side is made so long."""
    scale = side / max(pixels.shape[:2])
    high, wide = (max(round(length * scale), 1) for length in pixels.shape[:2])
    how = Image.Resampling.BOX if scale < 0.5 else None
    return np.asarray(Image.fromarray(pixels).resize((wide, high), how))


def framed(pixels: UInt8[np.ndarray, "h w 3"] | None, side: int) -> UInt8[np.ndarray, "side side 3"]:
    """The same, whole, on gray where it is not square; gray where there is none."""
    canvas = np.full((side, side, 3), _GRAY, np.uint8)
    if pixels is not None:
        small = fitted(pixels, side)
        top, left = ((side - length) // 2 for length in small.shape[:2])
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def packed_into(room: int, pixels: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """A JPEG of at most so many bytes: coarser where the finest does not fit, and smaller where none does."""
    for quality in _QUALITIES:
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= room:
            return out.getvalue()
    return packed_into(room, fitted(pixels, max(pixels.shape[:2]) // 2))
