"""Text that is drawn on photos is found, and nothing where there is none."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pellucid.evaluation.lettering import lettering
from pellucid.images import read
from pellucid.images.samples import samples
from pellucid.net.preprocess import Preprocess

FONT = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"


def drawn(ground: Image.Image, words: str, at: tuple[int, int], size: int, color: int) -> tuple[np.ndarray, np.ndarray]:
    """(gray image in 0..1, whether a pixel lies in the box of the words)."""
    draw, font = ImageDraw.Draw(ground), ImageFont.truetype(FONT, size)
    draw.text(at, words, font=font, fill=color)
    left, top, right, bottom = (int(one) for one in draw.textbbox(at, words, font=font))
    box = np.zeros((ground.height, ground.width), bool)
    box[top:bottom, left:right] = True
    return np.asarray(ground.convert("L"), float) / 255, box


@pytest.mark.parametrize(("ground", "color"), [(0, 255), (255, 0), (90, 180)])
@pytest.mark.parametrize("words", ["Hippocampus", "left breast L", "ABC"])
def test_words_are_found_with_their_boxes(words: str, ground: int, color: int) -> None:
    gray, box = drawn(Image.new("L", (224, 224), ground), words, (20, 150), 24, color)
    found = lettering(gray)
    assert (found & box).sum() / box.sum() > 0.8
    assert (found & ~box).sum() < 0.1 * box.sum()


def test_what_is_no_line_of_letters_is_not_found() -> None:
    assert not lettering(np.random.default_rng(0).random((64, 64))).any()
    assert not lettering(np.zeros((64, 64))).any()
    for words, size in (("AB", 24), ("ABC", 6), ("W", 150)):
        gray, _ = drawn(Image.new("L", (224, 224), 0), words, (20, 20), size, 255)
        assert not lettering(gray).any(), words
    column = Image.new("L", (224, 224), 0)
    for k in range(4):
        drawn(column, "R", (100, 10 + 50 * k), 24, 255)
    assert not lettering(np.asarray(column, float) / 255).any()


def test_on_photos_most_words_are_found_and_little_else() -> None:
    """The sample photos, with words and without."""
    seen = Preprocess(resize=256, crop=(224, 224))
    plain, found, shares = [], [], []
    for name in samples():
        pixels = seen.prepare(read(f"sample:{name}")).pixels[0].mean(0).numpy().astype(float)
        plain.append(lettering(pixels).mean())
        gray, box = drawn(Image.fromarray((255 * pixels).astype(np.uint8)), "© stock photo", (30, 180), 20, 255)
        shares.append((lettering(gray) & box).sum() / box.sum())
        found.append(shares[-1] > 0.4)
    assert np.mean(found) >= 0.7, shares
    assert np.mean(plain) < 0.02
