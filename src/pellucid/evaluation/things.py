"""Things in pictures: where each lies, as a box or an outline, whatever file said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pellucid.errors import PellucidError

Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in pixels of the original picture, counted at their edges from its upper left corner."""
Size = tuple[int, int]
"""(height, width) of a picture."""
Mask = NDArray[np.bool_]
_MOST = 10**8  # pixels of a mask


@dataclass(frozen=True)
class Polygons:
    """The insides of polygons, (x, y, x, y, …) each."""

    points: tuple[tuple[float, ...], ...]
    relative: bool = False
    """Whether the numbers are shares of the picture's width and height."""

    def mask(self, size: Size) -> Mask:
        """(H, W) the pixels whose centers lie inside, or on an edge."""
        picture = Image.new("1", (size[1], size[0]))
        scale = (size[1], size[0]) if self.relative else (1, 1)
        for points in self.points:
            corners = [(x * scale[0] - 0.5, y * scale[1] - 0.5) for x, y in zip(points[::2], points[1::2], strict=True)]
            ImageDraw.Draw(picture).polygon(corners, fill=1)
        return np.asarray(picture, bool)


@dataclass(frozen=True)
class Runs:
    """How many pixels are outside, inside, outside …, column by column, as COCO writes masks of crowds."""

    counts: tuple[int, ...]
    size: Size

    @classmethod
    def of(cls, written: str | Sequence[int], size: Size) -> Runs:
        """From counts, or from the text that they are packed into. ValueError where they do not fill the mask."""
        counts = _unpacked(written) if isinstance(written, str) else [int(one) for one in written]
        if any(one < 0 for one in counts) or sum(counts) != size[0] * size[1]:
            raise ValueError(f"runs of {sum(counts)} pixels in a mask of {size[0]} × {size[1]}")
        return cls(tuple(counts), size)

    def mask(self, size: Size) -> Mask:
        """(H, W); of the picture that they were made for."""
        if size != self.size:
            raise PellucidError(f"its mask is {self.size[0]} × {self.size[1]}, the picture {size[0]} × {size[1]}")
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(size[1], size[0]).T


def _unpacked(text: str) -> list[int]:
    """COCO's text: five bits of a number in each letter, the lowest first; from the third on differences to the one
    before the last.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"letter {letter!r} in packed runs")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:  # negative
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts


@dataclass(frozen=True)
class Stencil:
    """The pixels of a mask file that hold one number; None stands for whatever is not 0."""

    path: Path
    number: int | None

    def mask(self, size: Size) -> Mask:
        """(H, W); PellucidError where the file is of another size."""
        values = mask_numbers(self.path)
        if values.shape != size:
            raise PellucidError(
                f"the mask {self.path.name!r} is {values.shape[0]} × {values.shape[1]}, the picture {size[0]} × "
                f"{size[1]}"
            )
        found: Mask = values != 0 if self.number is None else values == self.number
        return found


def mask_numbers(path: Path) -> NDArray[np.int64]:
    """(H, W) a number for every pixel of a mask. PellucidError in one line for anything else."""
    with _opened(path) as picture:
        return np.asarray(picture).astype(np.int64)


def check_mask(path: Path) -> None:
    """Refuse what is no mask by its first bytes. PellucidError in one line."""
    with _opened(path):
        return


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=("PNG", "BMP", "TIFF", "GIF")) as picture:
            if picture.width * picture.height > _MOST or picture.mode not in ("1", "L", "P", "I", "I;16"):
                raise PellucidError(
                    f"the mask {path.name!r} is a picture of mode {picture.mode}, {picture.width} × {picture.height}: "
                    "a PNG with one number for each pixel is needed"
                )
            yield picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PellucidError(f"the mask {path.name!r} cannot be read: {error}") from error


@dataclass(frozen=True)
class Thing:
    """One thing in a picture: its class, and its box or its outline."""

    label: str
    """Its class, as the file calls it; empty where the file names none."""
    box: Box | None = None
    outline: Polygons | Runs | Stencil | None = None
    relative: bool = False
    """Whether the numbers of the box are shares of the picture's width and height."""
    difficult: bool | None = None
    """Whether it is said to be hard to find; None where nothing is said."""

    def box_in(self, size: Size) -> Box | None:
        """Its box in pixels, cut where the picture ends. PellucidError where it lies outside altogether."""
        if self.box is None:
            return None
        wide, high = (size[1], size[0]) if self.relative else (1, 1)
        x, y = ([side * scale for side in pair] for pair, scale in ((self.box[::2], wide), (self.box[1::2], high)))
        found = (*np.clip(x, 0, size[1]).tolist(), *np.clip(y, 0, size[0]).tolist())
        left, right, top, bottom = found
        if right <= left or bottom <= top:
            raise PellucidError(f"the box {self.box} of {self.label!r} lies outside its picture, {size[1]} × {size[0]}")
        return left, top, right, bottom

    def mask(self, size: Size) -> Mask:
        """(H, W) its pixels: those of its outline, else those whose centers lie in its box (one at least)."""
        if self.outline is not None:
            return self.outline.mask(size)
        found, box = np.zeros(size, bool), self.box_in(size)
        if box is None:
            raise PellucidError(f"{self.label!r} has neither a box nor an outline")
        rows, columns = (_pixels(box[k], box[k + 2], n) for k, n in ((1, size[0]), (0, size[1])))
        found[rows, columns] = True
        return found


def _pixels(start: float, stop: float, count: int) -> slice:
    """The pixels of an axis whose centers lie between two edges; the one in the middle where there is none."""
    first, end = int(np.ceil(start - 0.5)), int(np.floor(stop - 0.5)) + 1
    if end <= first:
        first = min(int((start + stop) / 2), count - 1)
        end = first + 1
    return slice(max(first, 0), min(end, count))
