"""Synthetic pictures as they are drawn: sharp, captioned with what they are worth, noise marked as what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.pictures import alarm, fitted_pixels, said, trusted
from pellucid.draw.sheet import Photo, Shape, Words
from pellucid.errors import PellucidError
from pellucid.notes import Note
from pellucid.result import Pictures, Trust
from tests.draw import make
from tests.draw.make import LONG
from tests.draw.test_pictures import assert_tidy

draw = pl.draw.draw
FULL = Trust(
    12.3,
    best_real=6.8,
    ninth_real=6.0,
    real_images=1000,
    quantile=1.0,
    robustness=0.71,
    shift_retention=0.93,
    rank=1,
    channels=112,
)
NOISE = replace(FULL, activation=22.3, robustness=0.04, shift_retention=0.07, rank=31)
ALONE = Trust(12.3, shift_retention=0.93, rank=1, channels=112, raw_rank=True)
META = make.meta(
    "activation_maximization", "Activation maximization", target="goldfish", net="toy",
    weights="ab" * 32, versions={"pellucid": "0.1.0"},
)  # fmt: skip


def pictures(count: int = 1, size: tuple[int, ...] = (64, 64, 3), **how: Any) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, *size), dtype=np.uint8)
    how.setdefault("names", tuple(f"layer4:{i}" for i in range(count)))
    return Pictures(pixels, meta=META, **how)


def words(picture: Any) -> str:
    return " ".join(mark.text for mark in picture.sheet.marks if isinstance(mark, Words))


def frames(picture: Any) -> list[Shape]:
    return [mark for mark in picture.sheet.marks if isinstance(mark, Shape)]


def test_the_caption_is_short_and_says_what_matters() -> None:
    assert said(pictures(trust=(FULL,)), 0) == "1.8 × the best of 1000 photos · robust 0.71 × · rank 1 of 112"
    assert trusted(ALONE) == ["activation 12.3", "keeps 93 %", "rank 1 of 112"]
    assert trusted(replace(FULL, agreement=0.834))[-1] == "seeds agree 0.83"
    assert trusted(replace(FULL, real_images=1))[0] == "1.8 × the best of 1 photo"
    assert trusted(Trust(None)) == []
    assert said(pictures(facts={"largest change": (0.031,)}), 0) == "largest change 0.031"


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [(0.0312, "0.03"), (0.949, "0.95"), (0.996, "1.0"), (12.34, "12.3"), (101.2, "101"), (-0.2, "−0.20")],
)
def test_ratios_are_read_and_not_calculated_with(ratio: float, shown: str) -> None:
    assert trusted(Trust(ratio, best_real=1.0, real_images=5))[0] == f"{shown} × the best of 5 photos"


@pytest.mark.parametrize("dark", [False, True])
def test_noise_is_framed_and_named(dark: bool) -> None:
    gray = np.full((3, 64, 64, 3), 128, np.uint8)
    picture = draw(replace(pictures(3, trust=(FULL, NOISE, FULL)), pixels=gray), dark=dark)
    assert_tidy(picture)
    (frame,) = frames(picture)
    photo = [mark for mark in picture.sheet.marks if isinstance(mark, Photo)][1]
    left, top, right, bottom = photo.box
    assert all(left <= x <= right and top <= y <= bottom for x, y in frame.points)
    warning = [m for m in picture.sheet.marks if isinstance(m, Words) and m.text.startswith("adversarial noise")]
    assert [mark.color for mark in warning] == [frame.edge]
    assert warning[0].bold
    assert "adversarial noise: keeps 7 % when shifted by 4 pixels" in picture.alt
    # the frame is really there, in its color: one upright edge to the other
    rgb = [int(frame.edge[i : i + 2], 16) for i in (1, 3, 5)]  # type: ignore[index]
    seen = (np.abs(picture.array.astype(int) - rgb) < 3).all(2)
    scale = picture.sheet.density
    high, wide = np.where(seen[: int(bottom * scale) + 2])  # the words below have its color too
    assert (wide.min(), wide.max()) == pytest.approx((left * scale, right * scale), abs=2)
    assert high.min() == pytest.approx(top * scale, abs=2)
    assert seen[int(top * scale) + 1 : int(bottom * scale) - 1].any(1).all()


def test_what_is_left_may_be_nothing() -> None:
    assert alarm(replace(NOISE, shift_retention=-0.2)) == "adversarial noise: keeps nothing when shifted by 4 pixels"
    assert trusted(replace(ALONE, perturb_retention=0.81))[1] == "keeps 81 %"
    assert (
        alarm(replace(NOISE, shift_retention=0.99, perturb_retention=0.1))
        == "adversarial noise: keeps 10 % under small touches"
    )


def test_the_words_are_explained_once_and_only_those_that_occur() -> None:
    shown = words(draw(pictures(30, trust=(FULL,) * 30)))
    assert (
        shown.count("Robust:")
        == shown.count("Small touches:")
        == shown.count("Rank:")
        == shown.count("× the best:")
        == 1
    )
    assert "Seeds agree" not in shown
    assert "counted from the mean" not in shown
    assert "counted from the mean" in words(draw(pictures(trust=(replace(FULL, offset=-1.0),))))
    assert "from plain gray" in words(draw(pictures(trust=(replace(FULL, offset=-1.0, real_images=2),))))
    alone = words(draw(pictures(2, trust=(ALONE,) * 2)))
    assert "raw activation" in alone
    assert "Robust:" not in alone
    assert words(draw(pictures(2))).count("Rank") == 0


def test_what_is_unknown_is_said_once() -> None:
    result = pictures(5, trust=(ALONE,) * 5)
    result = replace(
        result, meta=replace(META, notes=(Note("values", "best real image unknown: no real images were given"),))
    )
    assert words(draw(result)).count("unknown") == 1


@pytest.mark.parametrize("count", [1, 2, 7, 30])
@pytest.mark.parametrize("size", [(32, 32, 3), (28, 28, 1), (64, 48, 4), (256, 256, 3)])
def test_tidy_at_every_size(count: int, size: tuple[int, ...]) -> None:
    trust = tuple(NOISE if i % 3 == 1 else FULL for i in range(count))
    names = tuple(LONG if i % 4 == 1 else f"blocks.4:{i}" for i in range(count))
    picture = draw(pictures(count, size, trust=trust, names=names))
    assert_tidy(picture)


def test_tidy_with_pictures_beside_and_columns() -> None:
    each = np.arange(4, dtype=np.uint8)[:, None, None, None]
    beside = {"the photo": each.repeat(40, 1).repeat(64, 2).repeat(3, 3), LONG: np.zeros((4, 64, 40, 3), np.uint8)}
    result = pictures(4, trust=(FULL, NOISE, ALONE, FULL), beside=beside, columns=2)
    for options in ({}, {"columns": 1}, {"dark": True}):
        picture = draw(result, **options)
        assert_tidy(picture)
        assert sum(isinstance(mark, Photo) for mark in picture.sheet.marks) == 12
    assert "the photo" in words(picture)


def test_what_belongs_beside_a_whole_row_is_shown_once() -> None:
    rows = np.array([0, 0, 0, 90, 90, 90], dtype=np.uint8)[:, None, None, None]
    beside = {"the photo": rows.repeat(40, 1).repeat(64, 2).repeat(3, 3)}
    result = pictures(6, beside=beside, columns=3)
    for options, shown in (({}, 6 + 2), ({"columns": 2}, 6 + 6)):
        picture = draw(result, **options)
        assert_tidy(picture)
        assert sum(isinstance(mark, Photo) for mark in picture.sheet.marks) == shown
        assert words(picture).count("the photo") == shown - 6


def test_pictures_of_several_sizes() -> None:
    several = Pictures((np.zeros((40, 60, 3), np.uint8), np.zeros((64, 32, 3), np.uint8)), ("a", "b"), meta=META)
    assert_tidy(draw(several))


def test_small_pictures_are_enlarged_by_whole_pixels() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 24, 3), dtype=np.uint8)
    shown = fitted_pixels(picture, 440)
    assert shown.shape == (32 * 13, 24 * 13, 3)
    assert np.array_equal(shown[6::13, 6::13], picture)
    assert np.array_equal(shown[::13, ::13], shown[12::13, 12::13])
    drawn = draw(pictures(1, (32, 32, 3)))
    (photo,) = [mark for mark in drawn.sheet.marks if isinstance(mark, Photo)]
    left, top = (round(edge * drawn.sheet.density) for edge in photo.box[:2])
    high, wide = photo.pixels.shape[:2]
    assert np.array_equal(drawn.array[top : top + high, left : left + wide], photo.pixels)


@pytest.mark.parametrize(("channels", "told"), [(1, ""), (2, "the first of 2"), (4, "the first three of 4")])
def test_other_channels_are_shown_as_far_as_they_can_be(channels: int, told: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (500, 400, channels), dtype=np.uint8)
    shown = fitted_pixels(picture, 500)
    assert np.array_equal(shown, picture[..., :3] if channels > 2 else picture[..., :1].repeat(3, -1))
    text = words(draw(pictures(1, (16, 16, channels))))
    assert told in text
    assert bool(told) == ("Shown:" in text)


def test_the_alternative_text_ends() -> None:
    alt = draw(pictures(30, trust=(FULL,) * 30)).alt
    assert alt.startswith("Activation maximization: 30 pictures: layer4:0 (1.8 × the best of 1000 photos")
    assert alt.endswith("; and 22 more.")
    assert draw(pictures(1)).alt == "Activation maximization: layer4:0."


def test_impossible_options() -> None:
    with pytest.raises(PellucidError, match="columns=0"):
        draw(pictures(2), columns=0)
    with pytest.raises(PellucidError, match="no pictures to draw"):
        draw(Pictures(np.zeros((0, 8, 8, 3), np.uint8), ()))
