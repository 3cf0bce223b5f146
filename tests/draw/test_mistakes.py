"""A mistake as one picture: both classes in their colors, causes that hold, labels that are doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.geometry import Placement, View
from pellucid.result import Heatmap, Meta, Mistakes
from pellucid.training_set.causes import CAUSES
from tests.draw.test_cases import cases
from tests.draw.test_pictures import assert_tidy


def mistakes(count: int = 1) -> Mistakes:
    chance = np.random.default_rng(0)
    heat = Heatmap(
        chance.normal(size=(1, 4, 4)), Placement((3.5, 3.5), (8, 8), (8, 8)), (View.whole(32, 32),), "logits"
    )
    rows = replace(cases(), rows=("nearest in layer2", "push towards dog"))
    return Mistakes(
        given=("cat",) * count,
        answers=("dog",) * count,
        rivals=("dog",) * count,
        probabilities=np.tile([0.7, 0.2], (count, 1)),
        verdicts=(CAUSES[2],) * count,
        sentences=("training images like it are probably mislabeled as dog: 2 of 3 are doubted",) * count,
        values=np.tile([0.5, 0.1, 0.7, np.nan, 0.3], (count, 1)),
        holds=np.tile([False, False, True, False, False], (count, 1)),
        causes=CAUSES,
        said=(
            (
                "50 % are less far",
                "wrong with a chance of 10 %",
                "2 of 3 are doubted",
                "nobody knows",
                "30 % are more like theirs",
            ),
        )
        * count,
        cases=(rows,) * count,
        doubts=np.tile([[0.9, 0.1, np.nan], [0.2, 0.55, 0.1]], (count, 1, 1)),
        maps=(heat,) * count,
        similar_classes=(("dog", "wolf", "fox"),) * count,
        similarity=np.tile([0.2, 0.1, np.nan], (count, 1)),
        pictures=chance.integers(0, 255, (count, 20, 20, 3), np.uint8),
        meta=Meta(title="Mistake", found={"images": tuple(f"photo {i}" for i in range(count))}),
    )


@pytest.mark.parametrize("dark", [False, True])
def test_the_verdict_stands_first_and_causes_that_hold_are_marked(dark: bool) -> None:
    picture = pl.draw(mistakes(), dark=dark)
    assert_tidy(picture)
    texts = [mark.text for mark in picture.sheet.marks if hasattr(mark, "text")]
    said = " ".join(texts)
    assert "Training images like it are probably mislabeled as dog" in said
    assert [one for one in texts if one in ("●", "○")] == ["○", "○", "●", "○", "○"]
    for text in ("cat 20.0 %", "dog 70.0 %", "? 90.0 %", "? 55.0 %", "wolf", "nearest in layer2", "push towards dog"):
        assert text in said
    assert "fox" not in said
    blue, orange = ("#7aa7e0", "#fb923c") if dark else ("#3b6fb6", "#c2410c")
    edges = [getattr(mark, "edge", None) for mark in picture.sheet.marks]
    assert edges.count(orange) == 3
    assert edges.count(blue) == 1
    assert "cat 20.0 %, answered with dog 70.0 %" in picture.alt
    assert "mislabeled" in picture.alt


def test_several_images_stand_one_below_the_other() -> None:
    assert pl.draw(mistakes(3)).sheet.height > 2 * pl.draw(mistakes(1)).sheet.height
    with pytest.raises(PellucidError, match="nothing to draw"):
        pl.draw(mistakes(0))


def test_one_of_several() -> None:
    found = mistakes(3)[-1]
    assert len(found) == 1
    assert len(found.cases) == len(found.maps) == len(found.doubts) == 1
    assert found.meta.images == ("photo 2",)
    assert found.holds.tolist() == [[False, False, True, False, False]]
    assert found.describe()["by_cause"]["similar classes"] == [None]
    assert repr(found) == "Mistakes(1 images: labels of its neighbors)"
