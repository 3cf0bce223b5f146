"""Generated digits: the seed decides them, masks lie on them, decoys tell the class or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.images.sources.font_digits import SEGMENTS, DecoyDigits, FontDigits, RandomDecoys


def test_seed_and_number_decide_each_image() -> None:
    few, many, other = (Source.of(f"font_digits:{place}") for place in ("12,3", "40,3", "12,4"))
    for i in (0, 7, 11):
        pixels = few.read(i).pictures[0].numpy()
        assert pixels.shape == (3, 32, 32)
        assert np.array_equal(pixels, many.read(i).pictures[0].numpy())
        assert not np.array_equal(pixels, other.read(i).pictures[0].numpy())
        assert few.label(i) == i % 10
        assert np.array_equal(FontDigits("12,3").mask(i), pixels[0] > 0)
    assert len(Data.of("font_digits:12,3")) == 12
    assert len(Source.of("font_digits")) == 600
    with pytest.raises(PellucidError, match="a number of images"):
        len(Source.of("font_digits:many"))


def test_decoys_tell_the_class_or_nothing() -> None:
    given, test = DecoyDigits("40,1"), RandomDecoys("40,1")
    grays = []
    for i in range(40):
        square = given.decoy(i)
        assert square.sum() == 64
        pixels = given.read(i).pictures[0][0].numpy()
        assert np.allclose(pixels[square], 1 - (i % 10) / 10)
        assert np.array_equal(pixels[~square] > 0, given.mask(i)[~square])
        grays.append(round(test.gray(i) * 10))
    assert len({tuple(np.argwhere(given.decoy(i))[0]) for i in range(40)}) == 4
    assert abs(np.corrcoef(grays, np.arange(40) % 10)[0, 1]) < 0.5


def test_segments_tell_all_digits_apart() -> None:
    assert len({tuple(row.values()) for row in SEGMENTS.values()}) == 10
    assert list(SEGMENTS["8"].values()) == ["on"] * 7
    assert [name for name, lit in SEGMENTS["1"].items() if lit == "on"] == ["upper right", "lower right"]
