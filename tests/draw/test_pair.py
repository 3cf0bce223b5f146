"""Exchanged regions have the same number in both images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.pair import _TAG as TAG
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Words
from pellucid.errors import PellucidError
from pellucid.result import Meta, Pair
from tests.draw.test_pictures import assert_tidy

BOXES = np.array([[0.0, 0, 8, 8], [8, 8, 16, 16], [16, 0, 24, 8]])


def pair(count: int = 1, exchanges: int = 3) -> Pair:
    chance = np.random.default_rng(0)
    pictures = tuple(chance.integers(0, 255, (24, 24, 3), np.uint8) for _ in range(count))
    values = np.stack([np.linspace(0.9, 0.3, exchanges + 1), np.linspace(0.05, 0.6, exchanges + 1)], 1)
    return Pair(
        values=(values,) * count,
        boxes=(BOXES[:exchanges],) * count,
        distractor_boxes=(BOXES[[1, 1, 0]][:exchanges],) * count,
        queries=pictures,
        distractors=pictures,
        pasted=pictures,
        names=("panda.jpg",) * count,
        distractor_names=("koala.jpg",) * count,
        answers=("panda",) * count,
        wanted=("koala",) * count,
        reached=(True,) * count,
        cells=(9,) * count,
        random=np.array([[5, 6, 7]] * count),
        pasted_answers=("fox",) * count,
        pasted_values=np.array([[0.2, 0.1]] * count),
        findings=("3 of 9 regions make panda koala",) * count,
        meta=Meta(title="Exchange of regions", found={"layer": "act2"}),
    )


def untagged(picture: Picture) -> Picture:
    """Without the numbers, which lie on the photos."""
    marks = [one for one in picture.sheet.marks if not (isinstance(one, Words) and one.size == TAG)]
    return replace(picture, sheet=replace(picture.sheet, marks=marks))


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_in_both_images(dark: bool) -> None:
    picture = pl.draw(pair(), dark=dark)
    assert_tidy(untagged(picture))
    tags = [one.text for one in picture.sheet.marks if isinstance(one, Words) and one.size == TAG]
    assert sorted(tags) == ["1", "1, 2", "2", "3", "3"]
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    for text in ("panda 90.0 %", "koala.jpg", "pasted as pixels: fox", "panda 20.0 %, koala 10.0 %", "layer act2"):
        assert text in said
    assert "3 of 9 regions of koala.jpg turn panda into koala, at random it takes 6" in picture.alt


def test_many_pairs_and_none() -> None:
    picture = pl.draw(pair(10))
    assert_tidy(untagged(picture))
    assert any("Shown are 8 of 10" in mark.text for mark in picture.sheet.marks if isinstance(mark, Words))
    assert_tidy(untagged(pl.draw(pair(exchanges=0))))
    with pytest.raises(PellucidError, match="nothing to draw"):
        pl.draw(pair(0))
    with pytest.raises(PellucidError, match="without over="):
        pl.draw(pair(), over="x")


def test_one_of_several() -> None:
    found = pair(3)
    assert len(found[1]) == 1
    assert found[-1].findings == found.findings[-1:]
    assert found.counts == (3, 3, 3)
    assert found.describe()["random_median"] == [6.0] * 3
