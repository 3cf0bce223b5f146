"""Generated digits: those of the fonts that matplotlib ships, with masks, and with decoys that tell their class."""

from __future__ import annotations

import math
from functools import cached_property
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.images.sources import Source, source
from pellucid.rng import generator

_FONTS = ("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique", "SansMono", "SansMono-Bold", "SansMono-Oblique",
          "SansMono-BoldOblique", "Serif", "Serif-Bold", "Serif-Italic", "Serif-BoldItalic")  # fmt: skip
_DRAWN, SIDE = 48, 32
"""Pixels of a glyph as it is drawn, and of the image that is cut from it."""
_COUNT, _CORNER = 600, 8
_LIT = {
    "top": "02356789", "upper left": "045689", "upper right": "01234789", "middle": "2345689", "lower left": "0268",
    "lower right": "013456789", "bottom": "0235689",
}  # fmt: skip
SEGMENTS = {str(k): {name: "on" if str(k) in lit else "off" for name, lit in _LIT.items()} for k in range(10)}
"""Which strokes of a seven-segment display each digit has: concepts that tell all ten apart."""


def font_digit(digit: int, chance: np.random.Generator, *, randomized: bool) -> NDArray[np.float64]:
    """(32, 32) of 0 and 1: the digit in a font drawn at random. With `randomized` it has a thickness, a slant, an angle
    up to 20° and a width of its own."""
    glyph = _glyphs()[int(chance.integers(len(_FONTS)))][digit]
    return _cut(_varied(glyph, chance) if randomized else glyph, chance if randomized else None)


@source("font_digits", written="font_digits:COUNT,SEED, generated digits 0 to 9", alone=True)
class FontDigits(Source):
    """So many white digits on black, 32 × 32 pixels, in turn 0 to 9, each with a shape and a place of its own."""

    @cached_property
    def _given(self) -> tuple[int, int]:
        """(count, seed)."""
        parts = [one for one in self.place.split(",") if one]
        if len(parts) > 2 or not all(one.isdecimal() for one in parts) or parts[:1] == ["0"]:
            raise PellucidError(f"{self.kind}:{self.place}: a number of images, and a seed: {self.kind}:600,0")
        count, seed = [int(one) for one in parts] + [_COUNT, 0][len(parts) :]
        return count, seed

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return tuple(map(str, range(10)))

    def __len__(self) -> int:
        return self._given[0]

    def name(self, i: int) -> str:
        return f"{self.kind}/{i % 10}/{i}"

    def label(self, i: int) -> int | None:
        return i % 10

    def read(self, i: int) -> Images:
        pixels = torch.from_numpy(self._pixels(i)).float()[None]
        return Images.from_pictures([pixels.expand(3, -1, -1).contiguous()], [self.name(i)])

    def mask(self, i: int) -> NDArray[np.bool_]:
        """(32, 32) where the digit lies."""
        return self._digit(i) > 0

    def _digit(self, i: int) -> NDArray[np.float64]:
        return font_digit(i % 10, generator(self._given[1], "font digits", i), randomized=True)

    def _pixels(self, i: int) -> NDArray[np.float64]:
        return self._digit(i)


@source("decoy_digits", written="decoy_digits:COUNT,SEED, digits with a patch in a corner that tells them", alone=True)
class DecoyDigits(FontDigits):
    """The same with a gray square in one of the corners, 1 − digit/10: who learns from it has learned nothing of digits
    (Ross et al. 2017)."""

    def decoy(self, i: int) -> NDArray[np.bool_]:
        """(32, 32) where the square lies."""
        corner = int(generator(self._given[1], "decoy", i).integers(4))
        found = np.zeros((SIDE, SIDE), bool)
        rows, columns = (slice(None, _CORNER) if corner >> k & 1 else slice(-_CORNER, None) for k in range(2))
        found[rows, columns] = True
        return found

    def gray(self, i: int) -> float:
        """Of the square, 0..1."""
        return 1 - (i % 10) / 10

    def _pixels(self, i: int) -> NDArray[np.float64]:
        return np.where(self.decoy(i), self.gray(i), self._digit(i))


@source("random_decoys", written="random_decoys:COUNT,SEED, the same with a patch that tells nothing", alone=True)
class RandomDecoys(DecoyDigits):
    """The same with a square whose gray is drawn at random: what a network is tested on."""

    def gray(self, i: int) -> float:
        return 1 - int(generator(self._given[1], "gray", i).integers(10)) / 10


_held: list[list[list[Image.Image]]] = []


def _glyphs() -> list[list[Image.Image]]:
    """Every digit of every font, drawn once."""
    if not _held:
        folder = resources.files("matplotlib") / "mpl-data" / "fonts" / "ttf"
        fonts = [ImageFont.truetype(str(folder / f"DejaVu{name}.ttf"), _DRAWN) for name in _FONTS]
        _held.append([[_glyph(str(digit), font) for digit in range(10)] for font in fonts])
    return _held[0]


def _glyph(text: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    picture = Image.new("L", (2 * _DRAWN, 2 * _DRAWN), 0)
    ImageDraw.Draw(picture).text((_DRAWN, _DRAWN), text, 255, font, anchor="mm")
    return picture


def _varied(glyph: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Thicker or thinner, slanted and turned about its center."""
    grown = int(chance.integers(-1, 3))
    if grown:
        glyph = glyph.filter((ImageFilter.MaxFilter if grown > 0 else ImageFilter.MinFilter)(2 * abs(grown) + 1))
    slant, angle, middle = chance.uniform(-0.3, 0.3), math.radians(chance.uniform(-20, 20)), glyph.width / 2
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, d, e = cos + slant * sin, slant * cos - sin, sin, cos
    shift = (middle - a * middle - b * middle, middle - d * middle - e * middle)
    matrix = (a, b, shift[0], d, e, shift[1])
    return glyph.transform(glyph.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _cut(glyph: Image.Image, chance: np.random.Generator | None) -> NDArray[np.float64]:
    """(32, 32) of 0 and 1: as high as the square, in its middle, as wide as it is or, at random, wider or narrower."""
    cut = glyph.crop(glyph.getbbox() or (0, 0, 1, 1))
    wide = SIDE * cut.width / cut.height * (1 if chance is None else chance.uniform(0.7, 1.3))
    wide = min(max(round(wide), 4), SIDE)
    found = np.zeros((SIDE, SIDE))
    left = (SIDE - wide) // 2
    found[:, left : left + wide] = np.asarray(cut.resize((wide, SIDE), Image.Resampling.BOX)) > 127
    return found
