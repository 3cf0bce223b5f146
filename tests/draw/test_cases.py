"""Training cases are framed by whether their class is the answer."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.result import Cases, Meta
from tests.draw.test_pictures import assert_tidy


def cases(count: int = 1) -> Cases:
    chance = np.random.default_rng(0)
    labels = (("dog", "cat", ""), ("dog", "dog", "wolf"))
    return Cases(
        values=np.tile(np.array([[0.9, 0.5, 0.1], [0.8, 0.4, -0.2]]), (count, 1, 1)),
        images=np.tile(np.arange(6).reshape(2, 3), (count, 1, 1)),
        names=((("a.png", "b.png", "c.png"), ("d.png", "e.png", "f.png")),) * count,
        labels=(labels,) * count,
        duplicates=np.tile(np.array([[True, False, False], [False, False, False]]), (count, 1, 1)),
        answers=("dog",) * count,
        given=("cat",) * count,
        without=(("dog", "cat"),) * count,
        said=(("1 of 2 are dog", "2 of 3 are dog"),) * count,
        measured=np.tile(np.array([[0.5, 0.2], [2 / 3, np.nan]]), (count, 1, 1)),
        queries=chance.integers(0, 255, (count, 20, 20, 3), np.uint8),
        matches=chance.integers(0, 255, (count, 2, 3, 20, 20, 3), np.uint8),
        rows=("layer2", "colors"),
        units=("cosine", "cosine"),
        measures=("share with the answer", "probability without them"),
        meta=Meta(title="Nearest training cases", found={"probability": (0.7,) * count}),
    )


@pytest.mark.parametrize("dark", [False, True])
def test_frames_say_whether_the_class_is_the_answer(dark: bool) -> None:
    picture = pl.draw(cases(), dark=dark)
    assert_tidy(picture)
    edges = [getattr(mark, "edge", None) for mark in picture.sheet.marks]
    right, other = ("#4cc9a0", "#f58a92") if dark else ("#138060", "#b3263a")
    assert edges.count(right) == 3
    assert edges.count(other) == 3  # of the image asked about, which is wrong, too
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    for text in ("dog · 70.0 %", "✗ its class is cat", "✓ dog", "✗ wolf", "c.png", "0.900 · same", "−0.200"):
        assert text in said
    assert "3 of 6 training images are of that class" in picture.alt
    assert "its class is cat" in picture.alt


def test_several_images_stand_one_below_the_other() -> None:
    assert pl.draw(cases(3)).sheet.height > 2 * pl.draw(cases(1)).sheet.height
    with pytest.raises(PellucidError, match="nothing to draw"):
        pl.draw(cases(0))


def test_numbers_are_found_by_name() -> None:
    found = cases(2)
    assert found.measure("share with the answer").tolist() == [[0.5, 2 / 3]] * 2
    assert found.row("colors") == 1
    assert found.agrees[0].tolist() == [[True, False, False], [True, True, False]]
    assert found[-1].describe()["by_measure"]["probability without them"] == [[0.2, None]]
    with pytest.raises(UnknownName, match="share"):
        found.measure("share with answer")
    with pytest.raises(UnknownName, match="colors"):
        found.row("color")
