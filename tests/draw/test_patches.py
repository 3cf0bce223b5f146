"""Patches lie inside their images; pictures of a map cover none of each other."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.embeddings import _apart
from pellucid.draw.patches import within
from pellucid.draw.sheet import Photo, Words
from pellucid.geometry import View
from pellucid.result import Meta, Patches
from tests.draw import make
from tests.draw.test_embeddings import made


@pytest.mark.parametrize(
    ("box", "moved"),
    [
        ((10, 20, 40, 60), (10, 20, 40, 60)),
        ((-15.4, 20, 24.6, 60), (0, 20, 40, 60)),
        ((90, 150, 130, 190), (60, 110, 100, 150)),
        ((-50, -50, 200, 200), (0, 0, 100, 150)),
        ((-400, 20, -300, 60), (0, 20, 100, 60)),
    ],
)
def test_a_box_is_moved_into_its_image(box: tuple[float, ...], moved: tuple[int, ...]) -> None:
    assert within(box, (100, 150)) == moved  # type: ignore[arg-type]


def test_patches_are_drawn_without_gray_padding_and_that_is_said() -> None:
    photo = make.photo(100, 150)
    photo[...] = 30
    boxes = ((-20.0, 20.0, 20.0, 60.0), (10.0, 10.0, 50.0, 50.0))
    found = Patches((photo,) * 2, boxes, np.array([2.0, 1.0]), ("a", "b"), (None, None), (View.whole(100, 150),) * 2,
                    Meta())  # fmt: skip
    marks = pl.draw(found).sheet.marks
    assert all((mark.pixels == 30).all() for mark in marks if isinstance(mark, Photo))
    told = [mark.text for mark in marks if isinstance(mark, Words)]
    assert any("moved inside" in line for line in told)
    whole = [mark.text for mark in pl.draw(found[1]).sheet.marks if isinstance(mark, Words)]
    assert not any("moved inside" in line for line in whole)


def test_no_picture_of_a_map_covers_another() -> None:
    at = np.random.default_rng(0).random((400, 2)) * 900
    kept = _apart(at, 40)
    for i, k in enumerate(kept):
        for j in kept[:i]:
            assert np.abs(at[k] - at[j]).max() >= 40
    left = set(range(400)) - set(kept)
    assert all(min(np.abs(at[k] - at[j]).max() for j in kept) < 40 for k in left)  # no room is wasted
    drawn = [mark.text for mark in pl.draw(made(40)).sheet.marks if isinstance(mark, Words)]
    assert any(line.startswith("Dots: ") and "a grid shows all" in line for line in drawn)
