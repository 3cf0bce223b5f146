"""Simulated digits: those of the fonts that matplotlib ships, as 8 × 8 images like the handwritten ones."""

from __future__ import annotations

import math
from importlib import resources

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pellucid.learning.objective import Tensors
from pellucid.rng import generator

_FONTS = ("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique", "SansMono", "SansMono-Bold", "SansMono-Oblique",
          "SansMono-BoldOblique", "Serif", "Serif-Bold", "Serif-Italic", "Serif-BoldItalic")  # fmt: skip
_DRAWN, _SIDE = 48, 32  # pixels of a glyph as it is drawn, and before 4 × 4 of them are counted


def font_digits(count: int, seed: int = 0, *, randomized: bool = False) -> Tensors:
    """`count` digits, (N, 1, 8, 8) in 0..1, of 12 fonts of the DejaVu family: 32 × 32 black or white, of which blocks
    of 4 × 4 are counted, as in Alpaydin & Kaynak 1998. With `randomized` each has a thickness, a slant, an angle up to
    20° and a width of its own, drawn at random (domain randomization, Tobin et al. 2017).
    """
    folder = resources.files("matplotlib") / "mpl-data" / "fonts" / "ttf"
    fonts = [ImageFont.truetype(str(folder / f"DejaVu{name}.ttf"), _DRAWN) for name in _FONTS]
    glyphs = [[_glyph(str(digit), font) for digit in range(10)] for font in fonts]
    inputs, labels = np.zeros((count, 1, 8, 8), np.float32), np.arange(count) % 10
    for i, digit in enumerate(labels):
        chance = generator(seed, "font digits", i)
        glyph = glyphs[int(chance.integers(len(fonts)))][digit]
        inputs[i, 0] = _counted(_varied(glyph, chance) if randomized else glyph, chance if randomized else None)
    return Tensors(torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.int64)))


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


def _counted(glyph: Image.Image, chance: np.random.Generator | None) -> np.ndarray:
    """(8, 8) in 0..1: as high as the square, in its middle, as wide as it is or, at random, wider or narrower."""
    cut = glyph.crop(glyph.getbbox() or (0, 0, 1, 1))
    wide = _SIDE * cut.width / cut.height * (1 if chance is None else chance.uniform(0.7, 1.3))
    wide = min(max(round(wide), 4), _SIDE)
    found = np.zeros((_SIDE, _SIDE))
    left = (_SIDE - wide) // 2
    found[:, left : left + wide] = np.asarray(cut.resize((wide, _SIDE), Image.Resampling.BOX)) > 127
    return np.asarray(found.reshape(8, 4, 8, 4).mean((1, 3)))
