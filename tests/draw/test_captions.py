"""Captions are drawn word by word, with what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.result import Captions, Meta
from pellucid.result.captions import Captions as Kind
from tests.draw.test_pictures import assert_tidy


def captions(rest: float = np.nan, unit: str = "nats", questions: tuple[str, ...] = ()) -> Captions:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(2, 3, 2, 4, 4)).astype(np.float32)
    values[:, :, 0] = np.abs(values[:, :, 0])
    values[1, 2] = 0
    scores = np.log(np.array([[0.5, 0.25, 0.9], [0.8, 0.1, np.nan]])) if unit == "nats" else np.array(
        [[3.5, 1.25, 0.5], [2.0, 1.0, np.nan]]
    )  # fmt: skip
    return Captions(
        ("a red cat", "a dog"), (("a", "red", "cat"), ("a", "dog", "")), scores, values, ("attention", "Grad-CAM"),
        chance.integers(0, 255, (2, 32, 32, 3), np.uint8), Placement((3.5, 3.5), (8.0, 8.0), (10.0, 10.0)),
        np.array([rest, rest]), unit, ("share", "nats"), (False, True), questions,
        meta=Meta(found={"images": ("one.png", "two.png")}),
    )  # fmt: skip


def texts(result: Captions, **how: bool) -> list[str]:
    picture = pl.draw(result, **how)
    assert_tidy(picture)
    return [mark.text for mark in picture.sheet.marks if hasattr(mark, "text")]


def test_every_word_stands_over_its_maps_with_its_probability() -> None:
    said = texts(captions())
    for word in ("red", "cat", "dog", "50.0 %", "25.0 %", "attention", "Grad-CAM", "“a red cat”", "two.png"):
        assert any(word in one for one in said), word
    assert texts(captions(), dark=True) == said
    picture = pl.draw(captions())
    photos = [mark for mark in picture.sheet.marks if type(mark).__name__ == "Photo"]
    assert len(photos) == 2 + 2 * (3 + 2)  # the images, and two maps of each word that is there
    assert "one.png: a red cat" in picture.alt


def test_shares_say_what_the_sentence_leaves_out() -> None:
    said = texts(captions(4.5, "logit"))
    assert any("leaves out +4.5" in one for one in said)
    assert any("+3.5" in one for one in said)


def test_answers_stand_below_their_questions() -> None:
    said = texts(captions(questions=("what", "what color is it", "who")))
    assert {"what color is it", "red"} <= {*said}


def test_one_image_is_taken_out_and_a_map_by_name() -> None:
    whole = captions()
    one = whole[1]
    assert (one.sentences, one.count(0), one.meta.images) == (("a dog",), 2, ("two.png",))
    heat = whole.heatmap(1, "Grad-CAM")
    assert np.array_equal(heat.values, whole.values[:, 1, 1])
    assert heat.unit == "nats"
    assert not whole.heatmap(0, "attention").signed
    with pytest.raises(PellucidError, match="Grad-CAM"):
        whole.heatmap(0, "grad")
    with pytest.raises(IndexError, match="no part 3"):
        whole.heatmap(3, "attention")
    rows = whole.derived()["by_image"]
    assert [row["part"] for row in rows[1]] == ["a", "dog"]
    assert rows[0][0]["score"] == pytest.approx(np.log(0.5))
    assert Kind is Captions


def test_what_cannot_be_drawn_says_so() -> None:
    with pytest.raises(PellucidError, match="over="):
        pl.draw(captions(), "sample:panda")
